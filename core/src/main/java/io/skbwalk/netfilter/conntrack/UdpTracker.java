// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_NAT_CLASH;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEEN_REPLY;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.UdpHeader;

/** Plays nf_conntrack_proto_udp.c: UDP and UDP-Lite. */
final class UdpTracker {
  /** An exchange that still lives after this many ticks is a stream. */
  private static final int STREAM_AFTER = 2 * Clock.HZ;

  private static final int STREAM_TICK = ConntrackMemory.PROTOCOL_WORDS;
  private static final int INVALID = -Verdict.ACCEPT;

  private final Conntrack conntrack;

  UdpTracker(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** Plays nf_conntrack_udp_packet. */
  int packet(Hook hook, SkBuff skb, int offset) {
    String error = error(hook, skb, offset);
    if (error != null) {
      conntrack.logInvalid(skb, IpHeader.IPPROTO_UDP, error);
      return INVALID;
    }
    int ct = skb.ct;
    int now = (int) conntrack.net.clock.jiffies();
    int status = conntrack.status(ct);
    if ((status & IPS_CONFIRMED) == 0) {
      conntrack.memory.set(ct, STREAM_TICK, now + STREAM_AFTER);
    }
    int[] timeouts = conntrack.timeouts(ct, conntrack.sysctls.udp);
    if ((status & IPS_SEEN_REPLY) == 0) {
      conntrack.refresh(ct, skb.ctInfo, skb, timeouts[0]);
      return Verdict.ACCEPT;
    }
    boolean stream = now - conntrack.memory.get(ct, STREAM_TICK) > 0;
    conntrack.refresh(ct, skb.ctInfo, skb, timeouts[stream ? 1 : 0]);
    if (stream) {
      assure(ct, status);
    }
    return Verdict.ACCEPT;
  }

  private void assure(int ct, int status) {
    if ((status & (IPS_NAT_CLASH | IPS_ASSURED)) == 0) {
      conntrack.addStatus(ct, IPS_ASSURED);
      conntrack.cacheEvent(ct, ConntrackEvents.ASSURED);
    }
  }

  private String error(Hook hook, SkBuff skb, int offset) {
    int length = skb.tail - offset;
    if (length < UdpHeader.LENGTH) {
      return "short packet";
    }
    int claimed = skb.u16(offset + UdpHeader.LENGTH_OFFSET);
    if (claimed > length || claimed < UdpHeader.LENGTH) {
      return "truncated/malformed packet";
    }
    if (skb.u16(offset + UdpHeader.CHECKSUM_OFFSET) != 0
        && conntrack.verifies(hook)
        && Conntrack.badChecksum(skb, offset, length, IpHeader.IPPROTO_UDP)) {
      return "bad checksum";
    }
    return null;
  }

  /** Plays nf_conntrack_udplite_packet (RFC 3828). */
  int litePacket(Hook hook, SkBuff skb, int offset) {
    String error = liteError(hook, skb, offset);
    if (error != null) {
      conntrack.logInvalid(skb, ConntrackIn.IPPROTO_UDPLITE, error);
      return INVALID;
    }
    int ct = skb.ct;
    int status = conntrack.status(ct);
    boolean answered = (status & IPS_SEEN_REPLY) != 0;
    int[] timeouts = conntrack.timeouts(ct, conntrack.sysctls.udp);
    conntrack.refresh(ct, skb.ctInfo, skb, timeouts[answered ? 1 : 0]);
    if (answered) {
      assure(ct, status);
    }
    return Verdict.ACCEPT;
  }

  private String liteError(Hook hook, SkBuff skb, int offset) {
    int length = skb.tail - offset;
    if (length < UdpHeader.LENGTH) {
      return "short packet";
    }
    int coverage = skb.u16(offset + UdpHeader.LENGTH_OFFSET);
    if (coverage == 0) {
      coverage = length;
    } else if (coverage < UdpHeader.LENGTH || coverage > length) {
      return "invalid checksum coverage";
    }
    if (skb.u16(offset + UdpHeader.CHECKSUM_OFFSET) == 0) {
      return "checksum missing";
    }
    // The kernel sums the pseudo header with UDP's protocol number here, not with UDP-Lite's.
    if (conntrack.verifies(hook)
        && Conntrack.badChecksum(skb, offset, coverage, IpHeader.IPPROTO_UDP)) {
      return "bad checksum";
    }
    return null;
  }
}
