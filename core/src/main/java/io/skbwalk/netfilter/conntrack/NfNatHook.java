// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.skb.SkBuff;

/** Plays struct nf_nat_hook: what connection tracking and its helpers ask of NAT. */
public interface NfNatHook {
  /**
   * Plays nf_nat_setup_info with one address: binds a fresh connection, whose ports stay if they
   * can.
   *
   * @param destination DNAT when true, SNAT when false
   */
  void setup(int ct, boolean destination, int address);

  /** The same with ports from {@code minPort} to {@code maxPort}. */
  void setup(int ct, boolean destination, int address, int minPort, int maxPort);

  /** Is the packet's side of its connection, which is bound, another behind this hook? */
  boolean changesAt(Hook hook, SkBuff skb);

  /** Plays nf_nat_packet and nf_nat_manip_pkt; false when the packet is too short. */
  boolean mangle(Hook hook, SkBuff skb);
}
