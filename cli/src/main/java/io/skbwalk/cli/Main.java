// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The program {@code skbwalk}: finds the command and turns what went wrong into one line and an
 * exit status (0 done, 1 what was asked to hold does not, 2 unusable input or arguments).
 */
@Command(
    name = "skbwalk",
    description = "Linux's IPv4 packet path as a deterministic program.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {})
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  /** Called when no command was named. */
  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "a command is missing; see skbwalk --help");
  }

  /** Runs the command that the arguments name, and exits with its status. */
  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  /** The command line with its errors in the form {@code skbwalk: what is wrong}, status 2. */
  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setParameterExceptionHandler(
            (wrong, arguments) -> {
              wrong.getCommandLine().getErr().println("skbwalk: " + wrong.getMessage());
              return 2;
            });
  }
}
