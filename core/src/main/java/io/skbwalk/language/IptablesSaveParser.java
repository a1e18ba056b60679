// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.IptablesCommand;
import io.skbwalk.netfilter.tables.RuleParser;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Token;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Plays iptables-restore: reads what iptables-save prints, counters included. Whether the tables
 * hold together is checked by {@link io.skbwalk.netfilter.tables.RuleCheck}, once all files are
 * there.
 */
public final class IptablesSaveParser {
  private static final Pattern COUNTERS = Pattern.compile("\\[([0-9]{1,20}):([0-9]{1,20})]");

  /** What the buffer of iptables-restore's add_param holds. */
  private static final int LONGEST_WORD = 1024;

  private final String file;
  private final RuleSet.Builder rules = new RuleSet.Builder();
  private final Set<String> declared = new HashSet<>();
  private TableKind table;

  private IptablesSaveParser(String file) {
    this.file = file;
  }

  /**
   * Reads a whole file.
   *
   * @param text its content
   * @param file its name, for messages
   * @throws SourceException at the first thing that is wrong
   */
  public static RuleSet parse(String text, String file) {
    IptablesSaveParser parser = new IptablesSaveParser(file);
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      parser.line(lines[i], i + 1);
    }
    if (parser.table != null) {
      throw new SourceException(
          new SourcePosition(file, lines.length, 1), "COMMIT is missing behind *" + parser.table);
    }
    return parser.rules.build();
  }

  private void line(String raw, int number) {
    String line = raw.endsWith("\r") ? raw.substring(0, raw.length() - 1) : raw;
    SourcePosition at = new SourcePosition(file, number, 1);
    List<Token> words = line.stripLeading().startsWith("#") ? List.of() : words(line, at);
    if (words.isEmpty()) {
      return;
    }
    String first = words.get(0).text();
    if (table == null) {
      if (!first.startsWith("*")) {
        throw new SourceException(
            words.get(0).at(), "expected *TABLE (raw, mangle, nat, filter or security)");
      }
      table = TableKind.of(first.substring(1));
      if (table == null) {
        throw new SourceException(
            words.get(0).at(),
            "there is no table "
                + first.substring(1)
                + "; tables are raw, mangle, nat, filter and security");
      }
      only(words, 1);
      // A second section of a table begins anew, as iptables-restore flushes it.
      rules.clear(table);
      declared.clear();
    } else if (first.equals("COMMIT")) {
      only(words, 1);
      table = null;
    } else if (first.startsWith(":")) {
      chain(words);
    } else if (first.startsWith("*")) {
      throw new SourceException(words.get(0).at(), "COMMIT is missing before " + first);
    } else {
      command(words);
    }
  }

  /** {@code :NAME POLICY [packets:bytes]}. */
  private void chain(List<Token> words) {
    Token first = words.get(0);
    String name = first.text().substring(1);
    if (words.size() < 2) {
      throw new SourceException(first.at(), ":" + name + " needs a policy, or - for a user chain");
    }
    String policy = words.get(1).text();
    long[] counters = {0, 0};
    if (words.size() > 2) {
      counters = counters(words.get(2));
      only(words, 3);
    }
    if (table.hook(name) == null) {
      if (!policy.equals("-")) {
        throw new SourceException(
            words.get(1).at(), "only a built-in chain has a policy; write :" + name + " -");
      }
      declare(name, first.at());
    } else if (!policy.equals("-")) {
      policy(name, words.get(1), counters);
    }
  }

  private void declare(String name, SourcePosition at) {
    IptablesCommand.checkChainName(name, at);
    if (!declared.add(name)) {
      throw new SourceException(at, "there is a chain " + name + " already");
    }
    rules.create(table, new Token(name, at));
  }

  private void policy(String chain, Token word, long[] counters) {
    rules.chain(table, chain, word.at());
    rules.policy(table, chain, IptablesCommand.policy(word), counters[0], counters[1]);
  }

  private void command(List<Token> words) {
    long[] counters = null;
    int next = 0;
    if (words.get(0).text().startsWith("[")) {
      counters = counters(words.get(next++));
    }
    if (next == words.size()) {
      throw new SourceException(words.get(0).at(), "a rule is missing behind its counters");
    }
    for (Token word : words) {
      if (word.text().length() >= LONGEST_WORD) {
        throw new SourceException(
            word.at(), "iptables-restore takes words of less than " + LONGEST_WORD + " bytes");
      }
    }
    RuleParser.command(words.subList(next, words.size()), table, counters).run(rules);
  }

  private static void only(List<Token> words, int count) {
    if (words.size() > count) {
      throw new SourceException(
          words.get(count).at(), "\"" + words.get(count).text() + "\" is one word too many");
    }
  }

  private static long[] counters(Token word) {
    Matcher matcher = COUNTERS.matcher(word.text());
    try {
      if (matcher.matches()) {
        return new long[] {
          Long.parseUnsignedLong(matcher.group(1)), Long.parseUnsignedLong(matcher.group(2))
        };
      }
    } catch (NumberFormatException e) {
      // More than 64 bits: the message below says what is right.
    }
    throw new SourceException(
        word.at(), "counters are [PACKETS:BYTES], not \"" + word.text() + "\"");
  }

  /**
   * Splits a line as iptables-restore does: at blanks, except within double quotes, where a
   * backslash keeps the next character; a closing quote ends the word.
   */
  static List<Token> words(String line, SourcePosition start) {
    List<Token> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    int began = -1;
    for (int at = 0; at < line.length(); at++) {
      char c = line.charAt(at);
      if (c == '"') {
        began = began < 0 ? at : began;
        at = quoted(line, at + 1, word, place(start, at));
      } else if (c != ' ' && c != '\t') {
        began = began < 0 ? at : began;
        word.append(c);
        continue;
      } else if (began < 0) {
        continue;
      }
      words.add(new Token(word.toString(), place(start, began)));
      word.setLength(0);
      began = -1;
    }
    if (began >= 0) {
      words.add(new Token(word.toString(), place(start, began)));
    }
    return words;
  }

  private static SourcePosition place(SourcePosition start, int at) {
    return new SourcePosition(start.file(), start.line(), start.column() + at);
  }

  /** Appends what stands in quotes; returns where they close. */
  private static int quoted(String line, int from, StringBuilder word, SourcePosition open) {
    int at = from;
    while (at < line.length() && line.charAt(at) != '"') {
      if (line.charAt(at) == '\\' && at + 1 < line.length()) {
        at++;
      }
      word.append(line.charAt(at++));
    }
    if (at == line.length()) {
      throw new SourceException(open, "the closing \" is missing");
    }
    return at;
  }
}
