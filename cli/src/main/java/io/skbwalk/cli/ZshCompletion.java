// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Writes the completion of all commands for zsh, with what each command and option does. */
final class ZshCompletion {
  private static final String HEAD =
      """
      #compdef skbwalk
      # Completion of skbwalk for zsh, made by: skbwalk completion zsh

      # An interface's name, = and a file with one of the given endings.
      _skbwalk_in() {
        if compset -P '*='; then
          # What _arguments gives comes first.
          _files "${(@)argv[1,-2]}" -g "${argv[-1]}"
        else
          _message 'interface=capture'
        fi
      }

      _skbwalk() {
        local curcontext="$curcontext" state line
        typeset -A opt_args
        _arguments -C \\
      """;

  private static final String TAIL =
      """
      }

      if [ "${funcstack[1]}" = _skbwalk ]; then
        _skbwalk "$@"
      else
        compdef _skbwalk skbwalk
      fi
      """;

  private ZshCompletion() {}

  static String script(CommandSpec program) {
    StringBuilder out = new StringBuilder(HEAD);
    for (OptionSpec option : Completed.options(program)) {
      out.append("    ").append(option(option)).append(" \\\n");
    }
    out.append("    '1: :->command' '*:: :->arguments' && return 0\n");
    out.append("  case $state in\n    command)\n      local -a commands=(\n");
    List<CommandSpec> commands = Completed.commands(program);
    for (CommandSpec command : commands) {
      String text = Completed.inShort(command);
      out.append("        ").append(quoted(command.name() + ":" + text.replace(":", "\\:")));
      out.append('\n');
    }
    out.append("      )\n      _describe -t commands command commands\n      ;;\n");
    out.append("    arguments)\n      case $words[1] in\n");
    for (CommandSpec command : commands) {
      out.append("        ").append(command.name()).append(")\n          _arguments -S");
      for (OptionSpec option : Completed.options(command)) {
        out.append(" \\\n            ").append(option(option));
      }
      for (PositionalParamSpec argument : command.positionalParameters()) {
        boolean many =
            argument.arity().max() > 1 || argument.index().max() > argument.index().min();
        String place = many ? "*" : String.valueOf(argument.index().min() + 1);
        out.append(" \\\n            ")
            .append(quoted(place + value(argument.paramLabel(), Completed.of(argument))));
      }
      out.append("\n          ;;\n");
    }
    out.append("      esac\n      ;;\n  esac\n");
    return out.append(TAIL).toString();
  }

  private static String option(OptionSpec option) {
    List<String> names = List.of(option.names());
    String help = "[" + bracketed(Completed.firstSentence(Completed.description(option))) + "]";
    String value =
        Completed.takesValue(option) ? value(option.paramLabel(), Completed.of(option)) : "";
    boolean repeats = Completed.repeats(option);
    String others = repeats ? "*" : "(" + String.join(" ", names) + ")";
    if (option.usageHelp() || option.versionHelp()) {
      others = "(- *)";
    }
    return names.size() == 1
        ? quoted(others + names.get(0) + help + value)
        : quoted(others) + "{" + String.join(",", names) + "}" + quoted(help + value);
  }

  private static String value(String label, Completed what) {
    String words = String.join(" ", what.words());
    String endings = "*.(" + String.join("|", what.words()) + ")(-.)";
    String action =
        switch (what.kind()) {
          case NOTHING -> " ";
          case WORDS -> "(" + words + ")";
          case LIST -> "_sequence compadd - " + words;
          case FOLDER -> "_files -/";
          case FILE -> what.words().isEmpty() ? "_files" : "_files -g \"" + endings + "\"";
          case INTERFACE_AND_FILE -> "_skbwalk_in \"" + endings + "\"";
        };
    return ":" + label.replace(":", "\\:") + ":" + action;
  }

  private static String bracketed(String text) {
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]");
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
