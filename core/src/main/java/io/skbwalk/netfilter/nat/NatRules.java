// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.skb.SkBuff;

/**
 * Plays iptable_nat as the NAT engine sees it (nf_nat_inet_fn's lookup hooks): the rules that are
 * asked about the first packet of a connection.
 */
@FunctionalInterface
public interface NatRules {
  /**
   * Runs the nat table's chain of {@code hook}; its targets bind through {@link NatEngine}.
   *
   * @return a verdict; ACCEPT without a binding means that the engine makes a null binding
   */
  int evaluate(Hook hook, SkBuff skb, NetDevice in, NetDevice out);
}
