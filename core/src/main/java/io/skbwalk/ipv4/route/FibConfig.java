// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;

/**
 * Plays struct fib_config: a route as `ip route add` asks for it. Start from {@link #to} and
 * refine.
 *
 * @param destination network address
 * @param prefixLength 0 to 32
 * @param type RTN_ constant
 * @param gateway 0 for none
 * @param dev null when the gateway decides or the type needs none
 * @param table 254 is main
 * @param metric smaller wins
 * @param preferredSource 0 for none
 * @param mtu 0 for the interface's
 * @param tos 0 for all
 * @param onLink the gateway is reachable although no route says so
 * @param flow realms: to in the lower, from in the upper 16 bits; 0 for none
 */
public record FibConfig(
    int destination,
    int prefixLength,
    int type,
    int gateway,
    NetDevice dev,
    int table,
    int metric,
    int preferredSource,
    int mtu,
    int tos,
    boolean onLink,
    int flow) {

  /** A route without a realm. */
  public FibConfig(
      int destination,
      int prefixLength,
      int type,
      int gateway,
      NetDevice dev,
      int table,
      int metric,
      int preferredSource,
      int mtu,
      int tos,
      boolean onLink) {
    this(
        destination,
        prefixLength,
        type,
        gateway,
        dev,
        table,
        metric,
        preferredSource,
        mtu,
        tos,
        onLink,
        0);
  }

  /** A route in table main without gateway. */
  public static FibConfig to(int destination, int prefixLength, int type, NetDevice dev) {
    return new FibConfig(
        destination, prefixLength, type, 0, dev, FibRoute.RT_TABLE_MAIN, 0, 0, 0, 0, false);
  }

  /** The same by {@code gateway}. */
  public FibConfig via(int gateway) {
    return new FibConfig(
        destination,
        prefixLength,
        type,
        gateway,
        dev,
        table,
        metric,
        preferredSource,
        mtu,
        tos,
        onLink,
        flow);
  }
}
