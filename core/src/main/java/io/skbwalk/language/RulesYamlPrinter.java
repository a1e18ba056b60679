// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.netfilter.tables.RuleSet;

/**
 * Prints rules as a person would write them in YAML, so that {@link RulesFile} reads back the same:
 * tables and chains in the order of iptables-save, policies and counters where they were stated.
 */
public final class RulesYamlPrinter {
  private RulesYamlPrinter() {}

  /**
   * The whole rule set as text.
   *
   * @throws io.skbwalk.lib.SourceException at a rule of which iptables-save prints another: that
   *     would not be the same in YAML either
   */
  public static String print(RuleSet rules) {
    if (rules.tables().isEmpty()) {
      return "tables: {}\n";
    }
    StringBuilder out = new StringBuilder("tables:\n");
    boolean first = true;
    for (RuleSet.Table table : rules.tables()) {
      out.append(first ? "" : "\n");
      first = false;
      table(out, table);
    }
    return out.toString();
  }

  private static void table(StringBuilder out, RuleSet.Table table) {
    out.append("  ").append(table.kind()).append(':');
    int empty = out.length();
    out.append('\n');
    for (RuleSet.Chain chain : table.chains()) {
      boolean builtIn = table.kind().hook(chain.name()) != null;
      if (!builtIn || chain.policy() != null || !chain.rules().isEmpty()) {
        chain(out, chain);
      }
    }
    if (out.length() == empty + 1) {
      out.insert(empty, " {}");
    }
  }

  private static void chain(StringBuilder out, RuleSet.Chain chain) {
    out.append("    ").append(YamlText.scalar(chain.name())).append(':');
    boolean counted = chain.packets() != 0 || chain.bytes() != 0;
    if (chain.rules().isEmpty() && !counted) {
      out.append(chain.policy() == null ? " {}" : " {policy: " + chain.policy() + "}").append('\n');
      return;
    }
    out.append('\n');
    if (chain.policy() != null) {
      out.append("      policy: ").append(chain.policy()).append('\n');
    }
    if (counted) {
      String counters = RuleWriter.counters(chain.packets(), chain.bytes()).flow();
      out.append("      counters: ").append(counters).append('\n');
    }
    if (!chain.rules().isEmpty()) {
      out.append("      rules:\n");
      chain.rules().forEach(rule -> YamlText.item(out, RuleWriter.write(rule), 8));
    }
  }
}
