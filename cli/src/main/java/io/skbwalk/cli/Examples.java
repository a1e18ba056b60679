// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;

/** The examples at the end of a command's help, to be pasted in the project's root. */
final class Examples {
  /** Set by the launcher to what it was called by, so that an example works where it is pasted. */
  private static final String CALLED = "skbwalk.command";

  /** The program's name where a command begins. */
  private static final Pattern NAME = Pattern.compile("(^  |\\| |<\\()skbwalk(?= )");

  private Examples() {}

  /** Each example, with its further lines. */
  static List<String> of(CommandSpec command) {
    List<String> examples = new ArrayList<>();
    boolean open = false;
    for (String line : command.usageMessage().footer()) {
      String text = line.startsWith("  ") ? line.substring(2) : line;
      if (open) {
        int last = examples.size() - 1;
        examples.set(last, examples.get(last) + "\n" + text);
      } else {
        examples.add(text);
      }
      open = text.endsWith("\\");
    }
    return examples;
  }

  /** How the program was called: {@code skbwalk} where it is on the path. */
  static String called() {
    return System.getProperty(CALLED, "skbwalk");
  }

  /** The example for whoever has it on the path. */
  static String installed(String example) {
    return example.replace(called() + " ", "skbwalk ");
  }

  /** Lets the help of all commands show the program as it was called. */
  static void callAs(CommandSpec program, String called) {
    if (called.equals("skbwalk")) {
      return;
    }
    List<CommandSpec> all = new ArrayList<>(List.of(program));
    all.addAll(Completed.commands(program));
    for (CommandSpec command : all) {
      String[] footer = command.usageMessage().footer();
      for (int i = 0; i < footer.length; i++) {
        footer[i] = NAME.matcher(footer[i]).replaceAll("$1" + Matcher.quoteReplacement(called));
      }
      command.usageMessage().footer(footer);
    }
  }
}
