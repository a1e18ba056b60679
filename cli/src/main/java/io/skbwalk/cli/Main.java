// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.capture.CaptureException;
import io.skbwalk.capture.FilterException;
import io.skbwalk.lib.SourceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The program {@code skbwalk}: finds the command and turns what went wrong into one line and an
 * exit status (0 done, 1 what was asked to hold does not, 2 unusable input or arguments, 3 a defect
 * of this program).
 */
@Command(
    name = "skbwalk",
    description = "Linux's IPv4 packet path as a deterministic program.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk replay pcaps/http.pcap",
      "  skbwalk walk pcaps/http.pcap --packet 4",
      "  skbwalk walk --help"
    })
public final class Main implements Runnable {
  /** The exit status when this program, not its input, is at fault. */
  static final int DEFECT = 3;

  /** In the order of the help. */
  private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

  static {
    COMMANDS.put("replay", ReplayCommand.class);
    COMMANDS.put("walk", WalkCommand.class);
    COMMANDS.put("convert", ConvertCommand.class);
    COMMANDS.put("craft", CraftCommand.class);
    COMMANDS.put("diff", DiffCommand.class);
    COMMANDS.put("serve", ServeCommand.class);
    COMMANDS.put("lint", LintCommand.class);
    COMMANDS.put("snapshot", SnapshotCommand.class);
    COMMANDS.put("test", TestCommand.class);
    COMMANDS.put("completion", CompletionCommand.class);
    COMMANDS.put("man", ManCommand.class);
  }

  @Spec private CommandSpec spec;

  /** Called when no command was named. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing; see skbwalk --help");
  }

  /** Runs the command that the arguments name, and exits with its status. */
  public static void main(String[] arguments) {
    System.exit(commandLine(arguments.length > 0 ? arguments[0] : "").execute(arguments));
  }

  /**
   * The command line with its errors in the form {@code skbwalk: what is wrong}, status 2. Anything
   * that is no fault of the input is a defect of this program: status 3, with its stack.
   *
   * @param first the first argument. When it is a command, the others are left out: to read what
   *     their annotations say takes as long as to walk a packet.
   */
  static CommandLine commandLine(String first) {
    CommandLine all = new CommandLine(new Main());
    COMMANDS.forEach(
        (name, command) -> {
          if (name.equals(first) || !COMMANDS.containsKey(first)) {
            all.addSubcommand(name, command);
          }
        });
    Examples.callAs(all.getCommandSpec(), Examples.called());
    return all.setParameterExceptionHandler(
            (wrong, arguments) -> unusable(wrong.getCommandLine(), wrong.getMessage()))
        .setExecutionExceptionHandler(
            (wrong, line, parsed) -> {
              if (isUnusable(wrong)) {
                return unusable(line, inWords(wrong));
              }
              wrong.printStackTrace(line.getErr());
              line.getErr().println("skbwalk: this is a defect of skbwalk; please report it");
              return DEFECT;
            });
  }

  /** The names of all commands, in the order of the help. */
  static Set<String> names() {
    return Collections.unmodifiableSet(COMMANDS.keySet());
  }

  private static int unusable(CommandLine line, String problem) {
    line.getErr().println("skbwalk: " + problem);
    return CommandLine.ExitCode.USAGE;
  }

  /** Is the input at fault, and not this program? */
  static boolean isUnusable(Exception wrong) {
    return wrong instanceof UncheckedIOException
        || wrong instanceof IOException
        || wrong instanceof SourceException
        || wrong instanceof CaptureException
        || wrong instanceof FilterException
        || wrong instanceof Unusable;
  }

  /** The message of some of the JDK's exceptions is the file's name and nothing else. */
  static String inWords(Exception wrong) {
    if (wrong instanceof UncheckedIOException unchecked) {
      return inWords(unchecked.getCause());
    }
    String problem = wrong.getMessage();
    if (wrong instanceof NoSuchFileException) {
      return problem + ": no such file";
    }
    if (wrong instanceof AccessDeniedException) {
      return problem + ": permission denied";
    }
    return problem == null ? wrong.getClass().getSimpleName() : problem;
  }
}
