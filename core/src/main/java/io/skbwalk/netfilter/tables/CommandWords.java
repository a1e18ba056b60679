// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import java.util.List;
import java.util.Map;

/**
 * Plays the part of do_parse that is no rule: which command a line of iptables-restore or a run of
 * iptables gives, on which chain of which table, and what may stand beside it.
 */
final class CommandWords {
  /**
   * Letters of the options that go with a command; {@code -v} goes with all, {@code -m} is free.
   */
  private static final Map<Character, String> ALLOWED =
      Map.of(
          'A',
          "sdpjiocf",
          'I',
          "sdpjiocf",
          'R',
          "sdpjiocf",
          'D',
          "sdpjiof",
          'C',
          "sdpjiof",
          'L',
          "nx0",
          'P',
          "c");

  private final boolean restore;
  private TableKind table;
  private Token word;
  private char letter;
  private Token chain;
  private long number;
  private Token argument;
  private boolean zeroed;
  private String others = "";
  private boolean isForIp6;

  /** In iptables-restore, in its {@code table}; null for a run of iptables. */
  CommandWords(TableKind table) {
    this.restore = table != null;
    this.table = table == null ? TableKind.FILTER : table;
  }

  /**
   * Takes an option that is no part of a rule.
   *
   * @param value what belongs to it, or null
   * @param first the word behind it if it may be a value, else null
   * @param second the word behind that, likewise
   * @return how many of the two it took
   */
  int take(BaseOption option, Token at, Token value, Token first, Token second) {
    return switch (option.letter()) {
      case 't' -> table(at, value);
      case 'w', 'W' -> wait(at, value, first);
      case '4', 'M' -> 0;
      case '6' -> {
        if (!restore) {
          throw new SourceException(at.at(), "-6 is for ip6tables; there is IPv4 only here");
        }
        isForIp6 = true;
        yield 0;
      }
      case 'h', 'V' ->
          throw new SourceException(at.at(), at.text() + " prints help or a version, and ends");
      case 'v', 'n', 'x', '0' -> {
        others += option.letter() == 'v' ? "" : option.letter();
        yield 0;
      }
      default -> command(option.letter(), at, value, first, second);
    };
  }

  private int table(Token at, Token value) {
    if (restore) {
      throw new SourceException(
          at.at(), "-t does not go into a file for iptables-restore; *TABLE says the table");
    }
    table = TableKind.of(value.text());
    if (table == null) {
      throw new SourceException(
          value.at(),
          "there is no table "
              + value.text()
              + "; tables are raw, mangle, nat, filter and security");
    }
    return 0;
  }

  private int wait(Token at, Token value, Token first) {
    if (restore) {
      throw new SourceException(
          at.at(), at.text() + " does not go into a file for iptables-restore");
    }
    Token seconds = value == null ? first : value;
    if (seconds != null && !seconds.text().matches("[0-9]+(\\.[0-9]+)?")) {
      throw new SourceException(seconds.at(), at.text() + " takes a number of seconds");
    }
    return value == null && first != null ? 1 : 0;
  }

  private int command(char one, Token at, Token value, Token first, Token second) {
    boolean lists = letter == 'L' || letter == 'S';
    if (one == 'Z' && lists || letter == 'Z' && (one == 'L' || one == 'S')) {
      zeroed = true;
      letter = 'Z';
      return 0;
    }
    if (word != null) {
      throw new SourceException(
          at.at(), word.text() + " and " + at.text() + " are two commands; a line has one");
    }
    word = at;
    letter = one;
    switch (one) {
      case 'A', 'C' -> chain = value;
      case 'N' -> {
        IptablesCommand.checkChainName(value.text(), value.at());
        chain = value;
      }
      case 'P', 'E' -> {
        chain = value;
        argument = first;
        if (first == null) {
          throw new SourceException(
              at.at(),
              at.text() + (one == 'P' ? " needs a chain and a policy" : " needs two names"));
        }
        if (one == 'E') {
          IptablesCommand.checkChainName(first.text(), first.at());
        }
        return 1;
      }
      case 'D', 'I', 'R' -> {
        chain = value;
        number = first == null ? 0 : ruleNumber(first);
        if (one == 'R' && first == null) {
          throw new SourceException(at.at(), "-R needs the number of a rule");
        }
        number = one == 'I' && first == null ? 1 : number;
        return first == null ? 0 : 1;
      }
      default -> {
        // -F, -X, -L, -S and -Z take a chain or none; the last three a rule's number behind it.
        chain = value != null ? value : first;
        Token rule = "LSZ".indexOf(one) < 0 ? null : value != null ? first : second;
        number = rule == null ? 0 : ruleNumber(rule);
        return (value == null && first != null ? 1 : 0) + (rule != null ? 1 : 0);
      }
    }
    return 0;
  }

  private static long ruleNumber(Token word) {
    Long number = Numbers.unsigned(word.text(), Integer.MAX_VALUE);
    if (number == null || number == 0) {
      throw new SourceException(
          word.at(), "the number of a rule counts from 1, so it is not \"" + word.text() + "\"");
    }
    return number;
  }

  /** Where the command stands; {@code start} when there is none. */
  SourcePosition at(SourcePosition start) {
    return word == null ? start : word.at();
  }

  /** Does a rule belong to the command? */
  boolean takesRule() {
    return "AIRC".indexOf(letter) >= 0 && !isForIp6 || letter == 'D' && number == 0 && !isForIp6;
  }

  /** Refuses what does not go together, once the whole line is read. */
  void finish(SourcePosition start, Options given, Action action) {
    if (isForIp6) {
      return;
    }
    if (word == null) {
      throw new SourceException(
          start, "the line has no command such as -A; it begins with an option");
    }
    if (table == TableKind.NAT
        && (action == Action.Standard.DROP || letter == 'P' && argument.text().equals("DROP"))) {
      throw new SourceException(
          word.at(), "the nat table is not for filtering, so DROP is not allowed in it");
    }
    String allowed =
        letter == 'D' && number > 0 ? "" : zeroed ? "nx0" : ALLOWED.getOrDefault(letter, "");
    for (char other : others.toCharArray()) {
      if (allowed.indexOf(other) < 0) {
        throw new SourceException(
            start,
            (other == '0' ? "--line-numbers" : "-" + other) + " does not go with " + word.text());
      }
    }
    for (String name : given.names()) {
      char other = BaseOption.of(name).letter();
      if (allowed.indexOf(other == 'g' ? 'j' : other) < 0) {
        throw given.error(name, "-" + other + " does not go with " + word.text());
      }
    }
    if (chain != null && chain.text().length() > 28) {
      throw new SourceException(chain.at(), "a chain's name has at most 28 characters");
    }
  }

  /** The command that was read. */
  IptablesCommand command(List<Rule> rules, long[] counters, SourcePosition at) {
    if (letter == 'R' && rules.size() > 1) {
      throw new SourceException(at, "-R puts one rule in, and several addresses make several");
    }
    return new IptablesCommand(
        isForIp6 ? '6' : letter,
        table,
        isForIp6 ? null : chain,
        number,
        argument,
        counters,
        rules,
        at);
  }
}
