// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Writes the manual page of a command, or of the program, in man(7)'s macros. */
final class ManPage {
  /** The build's; the wall clock would make another page of the same program. */
  private static final String DATE = "2026-01-01";

  /** Of a line in the source, before it is escaped. */
  private static final int WIDTH = 70;

  private final StringBuilder out = new StringBuilder();

  private ManPage() {}

  /** The name of its file, such as {@code skbwalk-walk.1}. */
  static String file(CommandSpec command) {
    return title(command) + ".1";
  }

  private static String title(CommandSpec command) {
    return command.qualifiedName("-");
  }

  static String of(CommandSpec command) {
    ManPage page = new ManPage();
    page.write(command);
    return page.out.toString();
  }

  private void write(CommandSpec command) {
    String title = title(command);
    boolean program = command.parent() == null;
    String version = new Version().getVersion()[0];
    line(".\\\" SPDX-License-Identifier: Apache-2.0");
    line(
        ".TH %s 1 %s \"%s\" \"skbwalk manual\""
            .formatted(title.toUpperCase(Locale.ROOT), DATE, version));
    line(".SH NAME");
    String[] description = command.usageMessage().description();
    String first = Completed.inShort(command);
    // That of the program begins with a name.
    String does = program ? first : Character.toLowerCase(first.charAt(0)) + first.substring(1);
    line(escaped(title) + " \\- " + escaped(does));
    line(".SH SYNOPSIS");
    synopsis(command, program);
    line(".SH DESCRIPTION");
    for (int i = 0; i < description.length; i++) {
      if (i > 0) {
        line(".PP");
      }
      paragraph(description[i]);
    }
    if (program) {
      line(".SH COMMANDS");
      for (CommandSpec one : Completed.commands(command)) {
        line(".TP");
        line(".B " + escaped(one.name()));
        paragraph(one.usageMessage().description()[0]);
      }
    }
    arguments(command);
    examples(command);
    exitStatus(command);
    seeAlso(command, program);
  }

  private void synopsis(CommandSpec command, boolean program) {
    StringBuilder text = new StringBuilder(".B ").append(escaped(command.qualifiedName(" ")));
    line(text.toString());
    line(program ? ".RI [ OPTION ]" : ".RI [ OPTION \" ...]\\&\"");
    if (program) {
      line(".I COMMAND");
      line(".RI [ ARGUMENT \" ...]\\&\"");
    }
    for (PositionalParamSpec argument : command.positionalParameters()) {
      boolean many = argument.arity().max() > 1 || argument.index().max() > argument.index().min();
      String label = argument.paramLabel().replace("\"", "");
      boolean needed = argument.required();
      String dots = many ? " ...\\&" : "";
      line(
          needed
              ? ".IR \"" + escaped(label) + "\" \"" + dots + "\""
              : ".RI [ \"" + escaped(label) + "\" \"" + dots + "]\"");
    }
  }

  private void arguments(CommandSpec command) {
    List<PositionalParamSpec> arguments = command.positionalParameters();
    if (!arguments.isEmpty()) {
      line(".SH ARGUMENTS");
      for (PositionalParamSpec argument : arguments) {
        line(".TP");
        line(".I " + escaped(argument.paramLabel()));
        paragraph(Completed.description(argument));
      }
    }
    line(".SH OPTIONS");
    for (OptionSpec option : Completed.options(command)) {
      line(".TP");
      line(names(option));
      paragraph(Completed.description(option));
    }
  }

  private static String names(OptionSpec option) {
    List<String> names = new ArrayList<>();
    for (String name : option.names()) {
      names.add("\\fB" + escaped(name) + "\\fR");
    }
    String value =
        Completed.takesValue(option) ? " \\fI" + escaped(option.paramLabel()) + "\\fR" : "";
    return String.join(", ", names) + value;
  }

  private void examples(CommandSpec command) {
    List<String> examples = Examples.of(command);
    if (examples.isEmpty()) {
      return;
    }
    line(".SH EXAMPLES");
    for (int i = 0; i < examples.size(); i++) {
      if (i > 0) {
        line(".PP");
      }
      line(".EX");
      Examples.installed(examples.get(i)).lines().forEach(each -> line(escaped(each)));
      line(".EE");
    }
  }

  private void exitStatus(CommandSpec command) {
    line(".SH EXIT STATUS");
    status(0, "Done.");
    status(1, "What was asked to hold does not: an expectation failed, a difference was found.");
    status(2, "Input or arguments that cannot be used; one line on standard error says which.");
    status(3, "A defect of this program.");
  }

  private void status(int status, String text) {
    line(".TP");
    line(".B " + status);
    paragraph(text);
  }

  private void seeAlso(CommandSpec command, boolean program) {
    line(".SH SEE ALSO");
    List<String> pages = new ArrayList<>();
    if (!program) {
      pages.add(title(command.parent()));
    }
    for (CommandSpec one : Completed.commands(command.root())) {
      if (one != command) {
        pages.add(title(one));
      }
    }
    pages.addAll(List.of("iptables", "iptables-extensions", "conntrack", "ipset"));
    for (int i = 0; i < pages.size(); i++) {
      String section = i >= pages.size() - 4 ? "8" : "1";
      line(
          ".BR "
              + escaped(pages.get(i))
              + " ("
              + section
              + ")"
              + (i < pages.size() - 1 ? "," : ""));
    }
  }

  private void paragraph(String text) {
    // A sentence a line, as manual pages are written.
    for (String sentence : text.replaceAll("\\s+", " ").strip().split("(?<=[.;]) (?=[A-Z])")) {
      StringBuilder line = new StringBuilder();
      for (String word : sentence.split(" ")) {
        if (line.length() + word.length() > WIDTH) {
          line(escaped(line.toString()));
          line.setLength(0);
        }
        line.append(line.isEmpty() ? "" : " ").append(word);
      }
      line(escaped(line.toString()));
    }
  }

  /** So that troff takes it as it stands. */
  private static String escaped(String text) {
    String safe = text.replace("\\", "\\(rs").replace("-", "\\-").replace("~", "\\(ti");
    safe = safe.replace("^", "\\(ha").replace("'", "\\(aq").replace("`", "\\(ga");
    return safe.startsWith(".") ? "\\&" + safe : safe;
  }

  private void line(String line) {
    out.append(line).append('\n');
  }
}
