// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Extensions;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleParser;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Plays iptables-restore: reads what iptables-save prints, counters included. Whether the tables
 * hold together is checked by {@link io.skbwalk.netfilter.tables.RuleCheck}, once all files are
 * there.
 */
public final class IptablesSaveParser {
  private static final Pattern COUNTERS = Pattern.compile("\\[([0-9]{1,20}):([0-9]{1,20})]");

  private final String file;
  private final RuleSet.Builder rules = new RuleSet.Builder();
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
      rules.table(table);
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
    chainName(name, at);
    rules.chain(table, name, at);
  }

  /** Refuses what cannot be the name of a user chain. */
  static void chainName(String name, SourcePosition at) {
    if (name.isEmpty() || name.length() > 28 || name.matches("[-!].*|.*\\s.*")) {
      throw new SourceException(
          at, "a chain's name has 1 to 28 characters, does not begin with - or ! and has no blank");
    }
    boolean verdict =
        List.of(Action.Standard.values()).stream().anyMatch(one -> one.name().equals(name));
    if (verdict || Extensions.target(name) != null) {
      throw new SourceException(at, "a chain may not be called like the target " + name);
    }
  }

  private void policy(String chain, Token word, long[] counters) {
    Action.Standard policy =
        switch (word.text()) {
          case "ACCEPT" -> Action.Standard.ACCEPT;
          case "DROP" -> Action.Standard.DROP;
          default ->
              throw new SourceException(
                  word.at(), "a policy is ACCEPT or DROP, not \"" + word.text() + "\"");
        };
    rules.policy(table, chain, policy, counters[0], counters[1]);
  }

  private void command(List<Token> words) {
    long[] counters = {0, 0};
    int next = 0;
    if (words.get(0).text().startsWith("[")) {
      counters = counters(words.get(next++));
    }
    if (next == words.size()) {
      throw new SourceException(words.get(0).at(), "a rule is missing behind its counters");
    }
    Token command = words.get(next++);
    switch (command.text()) {
      case "-A", "--append" -> {
        String chain = existing(words, next++);
        SourcePosition at = command.at();
        for (Rule rule : rule(words, next, at, counters)) {
          rules.rule(table, chain, rule);
        }
      }
      case "-I", "--insert" -> {
        String chain = existing(words, next++);
        int index = 1;
        if (next < words.size() && words.get(next).text().matches("[0-9]{1,9}")) {
          index = Integer.parseInt(words.get(next).text());
          if (index < 1 || index > rules.size(table, chain) + 1) {
            throw new SourceException(
                words.get(next).at(),
                chain + " has " + rules.size(table, chain) + " rules, so no place " + index);
          }
          next++;
        }
        for (Rule rule : rule(words, next, command.at(), counters)) {
          rules.insert(table, chain, index, rule);
        }
      }
      case "-N", "--new-chain" -> {
        Token name = word(words, next, "the name of a chain");
        if (rules.hasChain(table, name.text())) {
          throw new SourceException(name.at(), "there is a chain " + name.text() + " already");
        }
        declare(name.text(), name.at());
        only(words, next + 1);
      }
      case "-P", "--policy" -> {
        String chain = existing(words, next++);
        if (table.hook(chain) == null) {
          throw new SourceException(words.get(next - 1).at(), "only a built-in chain has a policy");
        }
        policy(chain, word(words, next, "a policy"), counters);
        only(words, next + 1);
      }
      case "-F", "--flush" -> {
        if (next == words.size()) {
          rules.chains(table).forEach(chain -> rules.flush(table, chain));
        } else {
          rules.flush(table, existing(words, next));
          only(words, next + 1);
        }
      }
      default ->
          throw new SourceException(
              command.at(),
              "\"" + command.text() + "\" is not understood here; -A, -I, -N, -P and -F are");
    }
  }

  private static List<Rule> rule(List<Token> words, int from, SourcePosition at, long[] counters) {
    return RuleParser.parse(words.subList(from, words.size()), at, counters[0], counters[1]);
  }

  private static Token word(List<Token> words, int index, String what) {
    if (index >= words.size()) {
      throw new SourceException(words.get(words.size() - 1).at(), what + " is missing");
    }
    return words.get(index);
  }

  private String existing(List<Token> words, int index) {
    Token name = word(words, index, "the name of a chain");
    if (!rules.hasChain(table, name.text())) {
      throw new SourceException(
          name.at(), "table " + table + " has no chain " + name.text() + " (yet)");
    }
    return name.text();
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
   * backslash keeps the next character.
   */
  static List<Token> words(String line, SourcePosition start) {
    List<Token> words = new ArrayList<>();
    int at = 0;
    while (at < line.length()) {
      char c = line.charAt(at);
      if (c == ' ' || c == '\t') {
        at++;
        continue;
      }
      SourcePosition place = new SourcePosition(start.file(), start.line(), start.column() + at);
      StringBuilder word = new StringBuilder();
      if (c == '"') {
        at++;
        while (at < line.length() && line.charAt(at) != '"') {
          if (line.charAt(at) == '\\' && at + 1 < line.length()) {
            at++;
          }
          word.append(line.charAt(at++));
        }
        if (at == line.length()) {
          throw new SourceException(place, "the closing \" is missing");
        }
        at++;
      } else {
        while (at < line.length() && " \t\"".indexOf(line.charAt(at)) < 0) {
          word.append(line.charAt(at++));
        }
      }
      words.add(new Token(word.toString(), place));
    }
    return words;
  }
}
