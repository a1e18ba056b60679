// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.RuleParser;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Plays the shell that runs a script of {@code iptables} commands on a machine without rules:
 * words, quotes, comments and continued lines. What needs more of a shell (variables, control flow,
 * other programs) is refused, since only running it tells what it does. A command may lack the name
 * of the program, as {@code iptables -S} prints them.
 */
final class IptablesScript {
  private static final Pattern FIRST_LINE =
      Pattern.compile(
          "(sudo\\s+)?(\\S*/)?ip6?tables(-legacy|-nft)?(\\s.*)?|set\\s+-.*|\\$.*|[A-Za-z_]\\w*=.*"
              + "|-[PNAItFXZ]\\s.*");

  private static final Set<String> PROGRAMS = Set.of("iptables", "iptables-legacy", "iptables-nft");

  private static final Set<String> CONTROL =
      Set.of(
          "if",
          "then",
          "else",
          "elif",
          "fi",
          "for",
          "while",
          "until",
          "do",
          "done",
          "case",
          "esac",
          "function",
          "{",
          "}",
          "exit",
          "return",
          "export",
          "local",
          ".",
          "source",
          "eval",
          "exec");

  private static final String NO_SHELL =
      ", which only a shell knows; run the script where it belongs and give what iptables-save"
          + " prints then";

  private final String file;
  private final String text;
  private final RuleSet.Builder rules = new RuleSet.Builder();
  private int at;
  private int line = 1;
  private int lineStart;

  private IptablesScript(String text, String file) {
    this.text = text;
    this.file = file;
  }

  /** Does it begin like a script rather than like a file of rules? */
  static boolean isOne(String text) {
    return text.startsWith("#!")
        || text.lines()
            .map(String::strip)
            .filter(line -> !line.isEmpty() && !line.startsWith("#"))
            .findFirst()
            .filter(line -> FIRST_LINE.matcher(line).matches())
            .isPresent();
  }

  /**
   * Runs a whole script.
   *
   * @param file its name, for messages
   * @throws SourceException at the first thing that is wrong
   */
  static RuleSet parse(String text, String file) {
    IptablesScript script = new IptablesScript(text, file);
    while (script.at < text.length()) {
      List<Token> words = script.command();
      if (!words.isEmpty()) {
        script.run(words);
      }
    }
    return script.rules.build();
  }

  private void run(List<Token> words) {
    int first = words.get(0).text().equals("sudo") && words.size() > 1 ? 1 : 0;
    Token name = words.get(first);
    if (name.text().startsWith("-")) {
      RuleParser.command(words.subList(first, words.size()), null, null).run(rules);
      return;
    }
    if (name.text().contains("=") || CONTROL.contains(name.text())) {
      throw new SourceException(name.at(), "there is \"" + name.text() + "\"" + NO_SHELL);
    }
    String program = name.text().substring(name.text().lastIndexOf('/') + 1);
    if (program.equals("set")) {
      return;
    }
    if (!PROGRAMS.contains(program)) {
      throw new SourceException(name.at(), otherProgram(program));
    }
    if (words.size() == first + 1) {
      throw new SourceException(name.at(), program + " is told nothing to do");
    }
    RuleParser.command(words.subList(first + 1, words.size()), null, null).runAlone(rules);
  }

  private static String otherProgram(String program) {
    if (program.startsWith("ip6tables")) {
      return program + " is for IPv6, and there is IPv4 only here; leave the line out";
    }
    return switch (program) {
      case "iptables-restore", "iptables-legacy-restore" ->
          program + " reads a file of rules; give that file itself";
      case "ipset" -> "sets are given as ipset save prints them (--ipset), not made by commands";
      case "echo", "sysctl" ->
          "sysctls stand in the host file; leave the line with " + program + " out";
      default -> "only iptables is run here, not " + program + "; leave the line out";
    };
  }

  // ---- words

  /** The words of the next command; none for an empty line. */
  private List<Token> command() {
    List<Token> words = new ArrayList<>();
    while (at < text.length()) {
      char c = text.charAt(at);
      if (c == ';' || c == '\n') {
        step();
        return words;
      }
      if (c == '#') {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else if (c == ' ' || c == '\t' || isLineEnd(at)) {
        step();
      } else if (c == '\\' && isLineEnd(at + 1)) {
        continueLine();
      } else {
        words.add(word());
      }
    }
    return words;
  }

  private Token word() {
    SourcePosition start = place();
    StringBuilder word = new StringBuilder();
    while (at < text.length() && " \t\n;".indexOf(text.charAt(at)) < 0 && !isLineEnd(at)) {
      char c = text.charAt(at);
      if (c == '\\' && isLineEnd(at + 1)) {
        continueLine();
      } else if (c == '\\' && at + 1 < text.length()) {
        step();
        word.append(step());
      } else if (c == '\'' || c == '"') {
        quoted(c, word);
      } else if ("$`|&<>()".indexOf(c) >= 0) {
        throw new SourceException(place(), "there is " + inWords(c) + NO_SHELL);
      } else {
        word.append(step());
      }
    }
    return new Token(word.toString(), start);
  }

  private static String inWords(char c) {
    return switch (c) {
      case '$' -> "a variable ($)";
      case '`' -> "the output of a program (`)";
      case '<', '>' -> "a redirection (" + c + ")";
      default -> "a " + c;
    };
  }

  /** In double quotes a backslash keeps only what would mean something there. */
  private void quoted(char quote, StringBuilder word) {
    SourcePosition open = place();
    step();
    while (at < text.length() && text.charAt(at) != quote) {
      char c = text.charAt(at);
      if (quote == '"' && (c == '$' || c == '`')) {
        throw new SourceException(place(), "there is " + inWords(c) + NO_SHELL);
      }
      if (quote == '"' && c == '\\' && isLineEnd(at + 1)) {
        continueLine();
        continue;
      }
      if (quote == '"' && c == '\\' && at + 1 < text.length()) {
        step();
        word.append("$`\"\\".indexOf(text.charAt(at)) < 0 ? "\\" : "");
      }
      word.append(step());
    }
    if (at == text.length()) {
      throw new SourceException(open, "the closing " + quote + " is missing");
    }
    step();
  }

  private boolean isLineEnd(int index) {
    return text.startsWith("\n", index) || text.startsWith("\r\n", index);
  }

  private void continueLine() {
    while (step() != '\n') {
      // The backslash, and perhaps a carriage return.
    }
  }

  /** Goes on by one character. */
  private char step() {
    char c = text.charAt(at++);
    if (c == '\n') {
      line++;
      lineStart = at;
    }
    return c;
  }

  private SourcePosition place() {
    return new SourcePosition(file, line, at - lineStart + 1);
  }
}
