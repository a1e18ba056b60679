// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.kernel.Sysctls;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** Plays struct neigh_parms: the settings net.ipv4.neigh.IFACE.*, with their defaults. */
final class NeighbourParameters {
  /** How long a confirmation holds, milliseconds. */
  long baseReachableTime = 30_000;

  /** Broadcast requests before an unknown neighbour has failed. */
  int mcastSolicit = 3;

  /** Unicast requests before a known neighbour has failed. */
  int ucastSolicit = 3;

  /** Broadcast requests after those. */
  int mcastResolicit;

  /** Between two requests, milliseconds. */
  long retransTime = 1000;

  /** How long a stale neighbour may answer in other ways, seconds. */
  long delayFirstProbeTime = 5;

  /** Bytes (as the kernel counts them) that wait for one neighbour. */
  long unresQlenBytes = 212_992;

  /** How long a new address is kept against another one, hundredths of a second. */
  long locktime = 100;

  /** Longest random wait before a proxy's answer, hundredths of a second. */
  long proxyDelay = 80;

  /** Proxy answers that wait at once. */
  int proxyQlen = 64;

  private long gcStaleTime = 60;

  NeighbourParameters(Sysctls sysctls, String device) {
    String prefix = "net.ipv4.neigh." + device.replace('.', '/') + ".";
    register(
        sysctls,
        prefix + "base_reachable_time_ms",
        () -> baseReachableTime,
        v -> baseReachableTime = v);
    register(sysctls, prefix + "mcast_solicit", () -> mcastSolicit, v -> mcastSolicit = (int) v);
    register(sysctls, prefix + "ucast_solicit", () -> ucastSolicit, v -> ucastSolicit = (int) v);
    register(
        sysctls, prefix + "mcast_resolicit", () -> mcastResolicit, v -> mcastResolicit = (int) v);
    register(sysctls, prefix + "retrans_time_ms", () -> retransTime, v -> retransTime = v);
    register(
        sysctls,
        prefix + "delay_first_probe_time",
        () -> delayFirstProbeTime,
        v -> delayFirstProbeTime = v);
    register(sysctls, prefix + "unres_qlen_bytes", () -> unresQlenBytes, v -> unresQlenBytes = v);
    register(sysctls, prefix + "locktime", () -> locktime, v -> locktime = v);
    register(sysctls, prefix + "proxy_delay", () -> proxyDelay, v -> proxyDelay = v);
    register(sysctls, prefix + "proxy_qlen", () -> proxyQlen, v -> proxyQlen = (int) v);
    // Unused neighbours are kept here.
    register(sysctls, prefix + "gc_stale_time", () -> gcStaleTime, v -> gcStaleTime = v);
    sysctls.registerReadOnly(prefix + "app_solicit", () -> 0);
    sysctls.registerReadOnly(prefix + "anycast_delay", () -> 100);
    sysctls.registerReadOnly(prefix + "interval_probe_time_ms", () -> 5000);
    sysctls.registerReadOnly(prefix + "unres_qlen", () -> 101);
  }

  private static void register(Sysctls sysctls, String name, LongSupplier get, LongConsumer set) {
    sysctls.register(name, get, set, 0, Integer.MAX_VALUE);
  }
}
