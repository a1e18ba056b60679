// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleParser;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.Token;
import java.util.List;

/**
 * Plays iptables-legacy-save, without its comment lines: tables in the order raw, mangle, nat,
 * filter, security.
 */
public final class IptablesSavePrinter {
  private IptablesSavePrinter() {}

  /**
   * The whole rule set as text.
   *
   * @param counters as with {@code iptables-save -c}: each rule begins with its counters
   */
  public static String print(RuleSet rules, boolean counters) {
    StringBuilder out = new StringBuilder();
    for (RuleSet.Table table : rules.tables()) {
      table(out, table, counters);
    }
    return out.toString();
  }

  /** One table as text. */
  public static String print(RuleSet.Table table, boolean counters) {
    StringBuilder out = new StringBuilder();
    table(out, table, counters);
    return out.toString();
  }

  /**
   * Does iptables-restore read the same rule from what iptables-save prints of it? Linux has some
   * where it does not: {@code ! --dport 0:65535} is left out, a name with a blank has no quotes.
   */
  public static boolean readsBack(Rule rule) {
    try {
      List<Token> words = IptablesSaveParser.words(rule.save(), rule.at());
      return RuleParser.parse(words, rule.at(), 0, 0).get(0).isLike(rule);
    } catch (SourceException e) {
      return false;
    }
  }

  private static void table(StringBuilder out, RuleSet.Table table, boolean counters) {
    out.append('*').append(table.kind()).append('\n');
    for (RuleSet.Chain chain : table.chains()) {
      boolean builtIn = table.kind().hook(chain.name()) != null;
      out.append(':').append(chain.name()).append(' ');
      out.append(!builtIn ? "-" : chain.policy() == Action.Standard.DROP ? "DROP" : "ACCEPT");
      out.append(' ');
      // A user chain's own counter is never shown.
      counters(out, builtIn ? chain.packets() : 0, builtIn ? chain.bytes() : 0);
      out.append('\n');
    }
    for (RuleSet.Chain chain : table.chains()) {
      for (Rule rule : chain.rules()) {
        if (counters) {
          counters(out, rule.packets(), rule.bytes());
          out.append(' ');
        }
        out.append("-A ").append(chain.name());
        String text = rule.save();
        out.append(text.isEmpty() ? "" : " ").append(text).append('\n');
      }
    }
    out.append("COMMIT\n");
  }

  private static void counters(StringBuilder out, long packets, long bytes) {
    out.append('[').append(Long.toUnsignedString(packets));
    out.append(':').append(Long.toUnsignedString(bytes)).append(']');
  }
}
