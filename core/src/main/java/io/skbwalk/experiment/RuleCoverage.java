// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Which rules any packet of any experiment has matched, also packets that the machine made. */
public final class RuleCoverage {
  /**
   * A rule.
   *
   * @param label {@code table/chain#number}
   * @param text as iptables-save prints it, without {@code -A CHAIN}
   * @param at where it is written
   */
  public record Covered(String label, String text, SourcePosition at) {}

  private final Map<Covered, Boolean> rules = new LinkedHashMap<>();

  /** One machine is done: its rules, as they were loaded and as they have counted. */
  void add(RuleSet loaded, RuleSet counted) {
    for (RuleSet.Table table : counted.tables()) {
      for (RuleSet.Chain chain : table.chains()) {
        List<Rule> before = loaded.table(table.kind()).chain(chain.name()).rules();
        for (int i = 0; i < chain.rules().size(); i++) {
          Rule rule = chain.rules().get(i);
          String label = table.kind().label + "/" + chain.name() + "#" + (i + 1);
          boolean matched = rule.packets() != before.get(i).packets();
          rules.merge(new Covered(label, rule.save(), rule.at()), matched, Boolean::logicalOr);
        }
      }
    }
  }

  /** All rules that were loaded. */
  public int size() {
    return rules.size();
  }

  /** The rules that no packet matched, in the order of their tables and chains. */
  public List<Covered> missed() {
    return rules.entrySet().stream()
        .filter(entry -> !entry.getValue())
        .map(Map.Entry::getKey)
        .toList();
  }
}
