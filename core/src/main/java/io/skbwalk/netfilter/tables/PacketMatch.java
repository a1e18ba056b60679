// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.tables.index.Conditions;
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

  /**
   * Tells the index of its table's rules what it asks of a packet, and what it does besides. The
   * index may then leave it unasked where a condition does not hold.
   */
  default Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.CHANGES;
  }

  /** Plays xt_match's destroy: the rule is gone, and with it its hold on what rules share. */
  default void destroy() {}
}
