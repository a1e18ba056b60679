// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.skb.SkBuff;

/**
 * Plays what the targets of the nat table call in nf_nat_core.c, nf_nat_masquerade.c and
 * nf_nat_redirect.c.
 */
public interface NatEngine {
  /**
   * Plays nf_nat_setup_info: binds the packet's new connection.
   *
   * @param destination DNAT (NF_NAT_MANIP_DST) when true, SNAT when false
   * @return a verdict
   */
  int setup(SkBuff skb, Hook hook, NatRange range, boolean destination);

  /**
   * Plays nf_nat_masquerade_ipv4: source NAT to the address of {@code out} that fits the route.
   *
   * @return a verdict
   */
  int masquerade(SkBuff skb, Hook hook, NatRange range, NetDevice out);

  /**
   * Plays nf_nat_redirect_ipv4: destination NAT to this machine.
   *
   * @return a verdict
   */
  int redirect(SkBuff skb, Hook hook, NatRange range, NetDevice in);

  /**
   * Plays netmap_tg4: the destination (PRE_ROUTING, LOCAL_OUT) or the source moves into the network
   * that {@code range} spans.
   *
   * @return a verdict
   */
  int netmap(SkBuff skb, Hook hook, NatRange range);
}
