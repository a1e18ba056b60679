// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.skb.SkBuff;

/** Plays xt_match's match function of one rule on one machine. */
public interface PacketMatch {
  /**
   * Does the packet match? May set {@link PacketContext#hotdrop}, which drops the packet whatever
   * the answer.
   */
  boolean matches(SkBuff skb, PacketContext context);

  /**
   * Why {@link #matches} has just said no, for people. Changes nothing; called only when somebody
   * listens.
   */
  String explain(SkBuff skb, PacketContext context);

  /**
   * What {@link #matches} has just found, for people, when the rule alone does not tell; else null.
   * Changes nothing; called only when somebody listens.
   */
  default String found(SkBuff skb, PacketContext context) {
    return null;
  }

  /** Plays xt_match's destroy: the rule is gone, and with it its hold on what rules share. */
  default void destroy() {}
}
