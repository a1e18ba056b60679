// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk man}. */
@Command(
    name = "man",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Shows the manual page of a command, or of skbwalk itself.",
      "On a terminal man(1) shows it; elsewhere it is printed as man(7) has it, and with --out"
          + " all pages are written as files."
    },
    footerHeading = "%nExamples:%n",
    footer = {"  skbwalk man walk", "  skbwalk man replay | man -l -", "  skbwalk man --out man1"})
final class ManCommand implements Callable<Integer> {
  private static final class Commands implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Main.names().iterator();
    }
  }

  @Spec private CommandSpec spec;

  @Parameters(
      arity = "0..1",
      paramLabel = "COMMAND",
      completionCandidates = Commands.class,
      description = "The command; without it, the page of skbwalk itself.")
  private String command;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      description = "Write skbwalk.1 and a page for each command there.")
  private Path out;

  @Override
  public Integer call() throws IOException {
    // Another line than the one that runs, which knows this command only.
    CommandSpec program = Main.commandLine("").getCommandSpec();
    if (out != null) {
      if (command != null) {
        throw new Unusable("--out writes the pages of all commands; leave " + command + " away");
      }
      Files.createDirectories(out);
      List<CommandSpec> all = new ArrayList<>(List.of(program));
      all.addAll(Completed.commands(program));
      for (CommandSpec one : all) {
        TextFile.write(out.resolve(ManPage.file(one)).toString(), ManPage.of(one), null);
      }
      return 0;
    }
    String page = ManPage.of(command == null ? program : named(program));
    if (!Terminal.current().interactive() || !shown(page)) {
      spec.commandLine().getOut().print(page);
      spec.commandLine().getOut().flush();
    }
    return 0;
  }

  private CommandSpec named(CommandSpec program) {
    List<CommandSpec> commands = Completed.commands(program);
    return commands.stream()
        .filter(one -> one.name().equals(command))
        .findAny()
        .orElseThrow(
            () ->
                new Unusable(
                    "man "
                        + command
                        + ": there is no such command; commands are "
                        + commands.stream()
                            .map(CommandSpec::name)
                            .collect(Collectors.joining(", "))));
  }

  /** Lets man(1) show it; false where there is none. */
  private static boolean shown(String page) {
    try {
      Process man =
          new ProcessBuilder("man", "-l", "-")
              .redirectOutput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (OutputStream in = man.getOutputStream()) {
        in.write(page.getBytes(StandardCharsets.UTF_8));
      }
      return man.waitFor() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }
}
