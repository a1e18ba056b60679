// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.diff;

import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.RuleSet;

/**
 * A rule or policy that decided, for people to read.
 *
 * @param place {@code table/CHAIN#number}, or {@code table/CHAIN}
 * @param text the rule without {@code -A CHAIN}, or {@code policy DROP}
 * @param source {@code file:line}, or empty
 */
public record Responsible(RuleReference rule, String place, String text, String source) {
  static Responsible of(RuleReference rule, RuleSet rules) {
    if (rule == null) {
      return null;
    }
    String place = rule.table().label + "/" + rule.chain();
    if (rule.number() != 0) {
      return new Responsible(rule, place + "#" + rule.number(), rule.rule().save(), rule.source());
    }
    RuleSet.Chain chain = rules.table(rule.table()).chain(rule.chain());
    String source = chain == null || chain.policy() == null ? "" : chain.at().fileAndLine();
    return new Responsible(rule, place, "policy " + rule.target(), source);
  }
}
