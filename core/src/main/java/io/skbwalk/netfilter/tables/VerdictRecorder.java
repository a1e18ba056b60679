// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.skb.SkBuff;

/**
 * Is told which rules matched a packet and which decided, without a trace. Called on the path: it
 * must not allocate if nothing else does.
 */
public interface VerdictRecorder {
  /** The rule matched and was counted; also rules that only count, jump or go on. */
  void matched(SkBuff skb, Hook hook, RuleReference rule);

  /**
   * A table is done with the packet.
   *
   * @param rule the rule that decided, or the policy ({@link RuleReference#number} 0); null when a
   *     match dropped a malformed packet (hotdrop)
   * @param verdict one of {@link io.skbwalk.netfilter.Verdict}'s constants
   */
  void decided(SkBuff skb, Hook hook, RuleReference rule, int verdict);
}
