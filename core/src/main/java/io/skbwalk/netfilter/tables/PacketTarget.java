// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.skb.SkBuff;

/** Plays xt_target's target function of one rule on one machine. */
public interface PacketTarget {
  /** XT_CONTINUE: the next rule is tried. */
  int CONTINUE = -1;

  /**
   * Acts on the packet.
   *
   * @return {@link #CONTINUE} or one of {@link io.skbwalk.netfilter.Verdict}'s constants
   */
  int target(SkBuff skb, PacketContext context);

  /**
   * Does it do nothing but set the packet's mark, to what follows from that and its connection's
   * mark? Then it will do the same to the next packet of the connection.
   */
  default boolean repeats() {
    return false;
  }

  /** Plays xt_target's destroy: the rule is gone, and with it its hold on what rules share. */
  default void destroy() {}
}
