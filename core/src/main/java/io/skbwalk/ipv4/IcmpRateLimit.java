// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.kernel.Clock;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.Net;

/** Plays the limits of icmp.c: how many messages go out to all machines together, and to each. */
final class IcmpRateLimit {
  private final Net net;
  private final InetPeers peers;

  private long rateLimitMillis = 1000;
  private long rateMask = 0x1818;
  private long messagesPerSecond = 1000;
  private long messagesBurst = 50;

  private long globalCredit;
  private long globalStamp;

  IcmpRateLimit(Net net, InetPeers peers) {
    this.net = net;
    this.peers = peers;
    // A machine that has run for a while has its full burst.
    globalStamp = net.clock.jiffies() - Clock.HZ;
    var sysctls = net.sysctls;
    sysctls.register(
        "net.ipv4.icmp_ratelimit",
        () -> rateLimitMillis,
        value -> rateLimitMillis = value,
        0,
        Integer.MAX_VALUE);
    sysctls.register(
        "net.ipv4.icmp_ratemask", () -> rateMask, value -> rateMask = value, 0, 0xFFFFFFFFL);
    sysctls.register(
        "net.ipv4.icmp_msgs_per_sec",
        () -> messagesPerSecond,
        value -> messagesPerSecond = value,
        0,
        Integer.MAX_VALUE);
    sysctls.register(
        "net.ipv4.icmp_msgs_burst",
        () -> messagesBurst,
        value -> messagesBurst = value,
        0,
        Integer.MAX_VALUE);
  }

  /** Plays icmpv4_mask_allow, turned around: is this kind limited at all? */
  boolean isMasked(int type, int code) {
    return type <= Icmp.NR_ICMP_TYPES
        && !(type == IcmpHeader.DEST_UNREACH && code == Icmp.FRAG_NEEDED)
        && (1L << type & rateMask) != 0;
  }

  /** Plays icmp_global_allow: all machines together, icmp_msgs_per_sec. */
  boolean globalAllow() {
    if (globalCredit > 0) {
      return true;
    }
    long now = net.clock.jiffies();
    long passed = Math.min(now - globalStamp, Clock.HZ);
    if (passed < Clock.HZ / 50) {
      return false;
    }
    long more = messagesPerSecond * passed / Clock.HZ;
    if (more == 0) {
      return false;
    }
    globalStamp = now;
    globalCredit = Math.min(globalCredit + more, messagesBurst);
    return true;
  }

  /** Plays icmpv4_xrlim_allow: each peer, icmp_ratelimit; what is sent costs the global credit. */
  boolean peerAllow(Rtable rt, int address) {
    boolean allowed =
        rt.dev.isLoopback() || peers.allow(address, rateLimitMillis * Clock.HZ / 1000);
    if (allowed) {
      // A random price hides the counter from who probes it (CVE-2020-25705).
      globalCredit -= net.random.below(3);
    }
    return allowed;
  }
}
