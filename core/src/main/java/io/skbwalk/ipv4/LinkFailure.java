// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.skb.SkBuff;

/**
 * Plays dst_link_failure, for IPv4 ipv4_link_failure: somebody must be told that a packet cannot
 * arrive.
 */
@FunctionalInterface
public interface LinkFailure {
  /** Answers {@code skb} with ICMP host unreachable; does not take the packet over. */
  void linkFailure(SkBuff skb);
}
