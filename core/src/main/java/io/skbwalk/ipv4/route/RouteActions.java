// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.skb.SkBuff;

/**
 * Plays dst.input and dst.output: what an {@link Rtable} does with a packet; done by package ipv4.
 */
public interface RouteActions {
  /** Plays ip_local_deliver. */
  void localDeliver(SkBuff skb);

  /** Plays ip_forward. */
  void forward(SkBuff skb);

  /** Plays ip_error: {@link Rtable#error} says which ICMP error, if any. */
  void error(SkBuff skb);

  /** Plays ip_output. */
  void output(SkBuff skb);

  /** Plays ip_mc_output: a copy to this machine too. */
  void multicastOutput(SkBuff skb);

  /** Plays ip_rt_bug: a packet that was received must not be sent by the same route. */
  void routeBug(SkBuff skb);

  /** Plays dst_discard: a packet by a route that this packet cannot take. */
  void discard(SkBuff skb);
}
