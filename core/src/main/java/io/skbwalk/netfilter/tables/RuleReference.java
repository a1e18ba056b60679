// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.Objects;

/**
 * One rule of a loaded table, or the policy of a built-in chain; one object each, made when the
 * table is loaded, so {@code ==} compares them. Its texts, which reports tell of every packet, are
 * made once.
 */
public final class RuleReference {
  private final TableKind table;
  private final String chain;
  private final int number;
  private final Rule rule;
  private final String target;
  private String label;
  private String source;
  private String saved;

  /**
   * Of a rule, or of a policy.
   *
   * @param number from 1; 0 for the policy
   * @param rule the rule; null for the policy
   * @param target what is behind {@code -j}, or the policy; empty for a rule without target
   */
  public RuleReference(TableKind table, String chain, int number, Rule rule, String target) {
    this.table = table;
    this.chain = chain;
    this.number = number;
    this.rule = rule;
    this.target = target;
  }

  /** The table. */
  public TableKind table() {
    return table;
  }

  /** The chain. */
  public String chain() {
    return chain;
  }

  /** From 1; 0 for the policy. */
  public int number() {
    return number;
  }

  /** The rule; null for the policy. */
  public Rule rule() {
    return rule;
  }

  /** What is behind {@code -j}, or the policy; empty for a rule without target. */
  public String target() {
    return target;
  }

  /** {@code table/chain#number}, or {@code table/chain policy}. */
  public String label() {
    if (label == null) {
      label = table.label + "/" + chain + (number == 0 ? " policy" : "#" + number);
    }
    return label;
  }

  /** {@code file:line} of the rule, or empty. */
  public String source() {
    if (source == null) {
      source = rule == null ? "" : rule.at().fileAndLine();
    }
    return source;
  }

  /** The rule as iptables-save prints it, without {@code -A CHAIN}; not of a policy. */
  public String saved() {
    if (saved == null) {
      saved = rule.save();
    }
    return saved;
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || other instanceof RuleReference that
            && table == that.table
            && chain.equals(that.chain)
            && number == that.number
            && Objects.equals(rule, that.rule)
            && target.equals(that.target);
  }

  @Override
  public int hashCode() {
    return Objects.hash(table, chain, number, rule, target);
  }

  @Override
  public String toString() {
    return label();
  }
}
