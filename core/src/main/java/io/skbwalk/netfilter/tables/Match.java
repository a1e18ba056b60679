// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/**
 * Plays struct xt_entry_match: one {@code -m} of a rule as it was written, immutable. What it
 * remembers between packets, if anything, is in the {@link PacketMatch} that it makes.
 */
public interface Match {
  /** What it is one of. */
  MatchType type();

  /** Appends its options as iptables-save prints them, each with a leading blank. */
  void save(StringBuilder out);

  /**
   * Plays checkentry and what iptables itself checks besides the options.
   *
   * @return what is wrong with it there, for the user; null when nothing is
   */
  default String refusal(RulePlace place) {
    return null;
  }

  /** True when no rule may see a fragment because of it (nf_defrag_ipv4_enable). */
  default boolean needsDefragmentation() {
    return false;
  }

  /** True when conntrack must be active in the namespace for it (nf_ct_netns_get). */
  default boolean needsConntrack() {
    return false;
  }

  /**
   * The evaluation for one rule of one machine.
   *
   * @throws RefusedException when this machine has not what it needs
   */
  PacketMatch bind(Environment environment);
}
