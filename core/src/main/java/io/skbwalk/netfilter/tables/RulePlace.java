// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/**
 * Plays struct xt_mtchk_param and xt_tgchk_param: where a rule stands, for checks.
 *
 * @param table which table
 * @param chain the chain's name
 * @param hooks bits ({@link io.skbwalk.netfilter.Hook#bit}) of the hooks from which the chain is
 *     reached; 0 when from none
 * @param rule the whole rule
 */
public record RulePlace(TableKind table, String chain, int hooks, Rule rule) {
  /** Does the rule name this protocol, not inverted? */
  public boolean isProtocol(int protocol) {
    return rule.basic().protocol() == protocol && !rule.basic().notProtocol();
  }

  /** Refuses every table but one: what is wrong, for the user; null when nothing is. */
  public String onlyIn(TableKind allowed) {
    return table == allowed ? null : "only in the " + allowed + " table";
  }

  /** Is the chain reached from a hook outside of {@code allowed}? */
  public boolean isReachedOutside(int allowed) {
    return (hooks & ~allowed) != 0;
  }
}
