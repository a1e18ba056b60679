// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/** Plays struct xt_entry_target: what a rule does as it was written, immutable. */
public interface Target {
  /** What it is one of. */
  TargetType type();

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

  /** True when conntrack must be active in the namespace for it (nf_ct_netns_get). */
  default boolean needsConntrack() {
    return false;
  }

  /** True when no rule may see a fragment because of it (nf_defrag_ipv4_enable). */
  default boolean needsDefragmentation() {
    return false;
  }

  /**
   * The evaluation for one rule of one machine.
   *
   * @throws RefusedException when this machine has not what it needs
   */
  PacketTarget bind(Environment environment);
}
