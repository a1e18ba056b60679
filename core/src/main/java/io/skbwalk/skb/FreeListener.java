// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/** Plays the kfree_skb tracepoint (and consume_skb): is told before a packet is recycled. */
public interface FreeListener {
  /**
   * A packet was dropped. {@code skb} is still whole and must not be kept.
   *
   * @param reason why
   * @param function the kernel function that dropped it, as the tracepoint's location names it
   */
  void dropped(SkBuff skb, DropReason reason, String function);

  /** Conntrack holds a reference for each packet; it is given back here (nf_conntrack_put). */
  void released(SkBuff skb);
}
