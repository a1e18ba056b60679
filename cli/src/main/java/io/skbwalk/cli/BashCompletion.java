// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Writes the completion of all commands for bash; it needs nothing else, not bash-completion. */
final class BashCompletion {
  private static final String HEAD =
      """
      # Completion of skbwalk for bash, made by: skbwalk completion bash
      # shellcheck shell=bash

      # Files that end in one of the given endings, and folders; any file when there are none.
      _skbwalk_files() {
        local cur=$1 ending found=()
        shift
        for ending; do
          mapfile -t -O "${#found[@]}" found < <(compgen -f -X "!*.$ending" -- "$cur")
        done
        if [ ${#found[@]} -gt 0 ]; then
          mapfile -t COMPREPLY < <({ printf '%s\\n' "${found[@]}"; compgen -d -- "$cur"; } | sort -u)
        else
          mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        fi
        compopt -o filenames 2>/dev/null
      }

      # The given words that begin so.
      _skbwalk_words() {
        mapfile -t COMPREPLY < <(compgen -W "$2" -- "$1")
      }

      # Words with commas between, none of them twice.
      _skbwalk_list() {
        local before= last=$1 word left=
        case $1 in *,*) before=${1%,*}, last=${1##*,} ;; esac
        for word in $2; do
          case ,$before in *",$word,"*) ;; *) left="$left $before$word" ;; esac
        done
        mapfile -t COMPREPLY < <(compgen -W "$left" -- "$before$last")
        compopt -o nospace 2>/dev/null
      }

      _skbwalk() {
        local cur prev command= word i options=
        # What bash parted at = and : is one word to skbwalk.
        local words=()
        for ((i = 0; i <= COMP_CWORD; i++)); do
          word=${COMP_WORDS[i]}
          if ((i > 1)) && [[ $word == [=:]* || ${words[-1]} == *[=:] ]] && [[ $word != -* ]]; then
            words[-1]=${words[-1]}$word
          else
            words+=("$word")
          fi
        done
        cur=${words[-1]} prev=
        ((${#words[@]} < 2)) || prev=${words[-2]}
        COMPREPLY=()
        for ((i = 1; i < ${#words[@]} - 1; i++)); do
          case ${words[i]} in -*) ;; *) command=${words[i]}; break ;; esac
        done
        case $cur in
          --*=*) prev=${cur%%=*} cur=${cur#*=} ;;
        esac
        case $command in
      """;

  private static final String TAIL =
      """
        esac
        if [[ $cur == -* ]]; then
          # Those that were given are not offered again.
          local given=" ${words[*]:1:${#words[@]}-2} " left=
          for word in $options; do
            case $word in
              *+) left="$left ${word%+}" ;;
              *) [[ $given == *" $word "* ]] || left="$left $word" ;;
            esac
          done
          mapfile -t COMPREPLY < <(compgen -W "$left" -- "$cur")
        fi
      }

      complete -F _skbwalk skbwalk
      """;

  private BashCompletion() {}

  static String script(CommandSpec program) {
    StringBuilder out = new StringBuilder(HEAD);
    List<CommandSpec> commands = Completed.commands(program);
    String names = commands.stream().map(CommandSpec::name).collect(Collectors.joining(" "));
    out.append("    '')\n");
    options(out, program);
    out.append("      [[ $cur == -* ]] || _skbwalk_words \"$cur\" '").append(names).append("'\n");
    out.append("      ;;\n");
    for (CommandSpec command : commands) {
      out.append("    ").append(command.name()).append(")\n");
      options(out, command);
      values(out, command);
      out.append("      ;;\n");
    }
    return out.append(TAIL).toString();
  }

  private static void options(StringBuilder out, CommandSpec command) {
    List<String> names = new ArrayList<>();
    for (OptionSpec option : Completed.options(command)) {
      for (String name : option.names()) {
        names.add(name + (Completed.repeats(option) ? "+" : ""));
      }
    }
    out.append("      options='").append(String.join(" ", names)).append("'\n");
  }

  private static void values(StringBuilder out, CommandSpec command) {
    out.append("      case $prev in\n");
    for (OptionSpec option : Completed.options(command)) {
      if (Completed.takesValue(option)) {
        out.append("        ").append(String.join(" | ", option.names())).append(") ");
        out.append(call(Completed.of(option))).append("; return ;;\n");
      }
    }
    out.append("      esac\n");
    if (!command.positionalParameters().isEmpty()) {
      out.append("      [[ $cur == -* ]] || ");
      out.append(call(Completed.of(command.positionalParameters().get(0)))).append('\n');
    }
  }

  private static String call(Completed what) {
    String words = String.join(" ", what.words());
    return switch (what.kind()) {
      case NOTHING -> ":";
      case WORDS -> "_skbwalk_words \"$cur\" '" + words + "'";
      case LIST -> "_skbwalk_list \"$cur\" '" + words + "'";
      case FOLDER ->
          "mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"); compopt -o filenames 2>/dev/null";
      case FILE -> ("_skbwalk_files \"$cur\" " + words).strip();
      case INTERFACE_AND_FILE -> "[[ $cur != *=* ]] || _skbwalk_files \"${cur#*=}\" " + words;
    };
  }
}
