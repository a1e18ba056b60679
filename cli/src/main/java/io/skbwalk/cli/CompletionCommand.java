// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk completion}. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Prints the script that lets a shell complete commands, options, their values and files.",
      "For every new shell: the first example as a line of ~/.bashrc, the second one of ~/.zshrc"
          + " (behind compinit)."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(skbwalk completion bash)",
      "  source <(skbwalk completion zsh)",
      "  skbwalk completion bash > skbwalk.bash"
    })
final class CompletionCommand implements Callable<Integer> {
  /** The shells. */
  enum Shell {
    /** GNU bash. */
    bash,
    /** Z shell. */
    zsh
  }

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "bash|zsh", description = "The shell.")
  private Shell shell;

  @Override
  public Integer call() {
    // Another line than the one that runs, which knows this command only.
    CommandSpec program = Main.commandLine("").getCommandSpec();
    String script =
        shell == Shell.bash ? BashCompletion.script(program) : ZshCompletion.script(program);
    spec.commandLine().getOut().print(script);
    spec.commandLine().getOut().flush();
    return 0;
  }
}
