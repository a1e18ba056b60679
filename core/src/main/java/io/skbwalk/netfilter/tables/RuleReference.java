// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/**
 * One rule of a loaded table, or the policy of a built-in chain; one object each, made when the
 * table is loaded, so {@code ==} compares them.
 *
 * @param table the table
 * @param chain the chain
 * @param number from 1; 0 for the policy
 * @param rule the rule; null for the policy
 * @param target what is behind {@code -j}, or the policy; empty for a rule without target
 */
public record RuleReference(TableKind table, String chain, int number, Rule rule, String target) {
  /** {@code table/chain#number}, or {@code table/chain policy}. */
  public String label() {
    return table.label + "/" + chain + (number == 0 ? " policy" : "#" + number);
  }

  /** {@code file:line} of the rule, or empty. */
  public String source() {
    return rule == null ? "" : rule.at().fileAndLine();
  }

  @Override
  public String toString() {
    return label();
  }
}
