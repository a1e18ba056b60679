// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

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
}
