// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackExpectations;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;

/** Plays nf_nat_helper.c: what all helpers do to the payload of translated connections. */
final class NatHelper {
  private static final int MAX_PACKET = 65_535;
  private static final int MAX_PORT = 65_535;

  /** Ports that are tried for an expectation. */
  private static final int MAX_ATTEMPTS = 128;

  /** CSUM_MANGLED_0. */
  private static final int MANGLED_0 = 0xFFFF;

  private final Conntrack conntrack;

  NatHelper(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** Is the connection translated, so that what it announces must be, too? */
  boolean isNeeded(int ct) {
    return conntrack.has(ct, ConntrackStatus.IPS_NAT_MASK);
  }

  /**
   * Plays nf_nat_mangle_tcp_packet: {@code length} bytes at {@code from} of the buffer become
   * {@code replacement}; from then on the connection's sequence numbers are shifted.
   *
   * @return false when the packet would be too long
   */
  boolean mangleTcp(
      Hook hook, SkBuff skb, int offset, int from, int length, Replacement replacement) {
    if (!mangleUnadjusted(hook, skb, offset, from, length, replacement)) {
      return false;
    }
    shift(skb, offset, replacement.length - length);
    return true;
  }

  /** Plays nf_ct_tcp_seqadj_set: the segment has grown. */
  void shift(SkBuff skb, int offset, int growth) {
    if (IpHeader.protocol(skb) == IpHeader.IPPROTO_TCP) {
      int sequence = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
      conntrack.sequenceAdjustment().set(skb.ct, skb.ctInfo, sequence, growth);
    }
  }

  /** The same, but whoever calls it tells the whole shift at the end. */
  boolean mangleUnadjusted(
      Hook hook, SkBuff skb, int offset, int from, int length, Replacement replacement) {
    if (!replace(hook, skb, from, length, replacement)) {
      return false;
    }
    sign(skb, offset, offset + TcpHeader.CHECKSUM_OFFSET, IpHeader.IPPROTO_TCP);
    return true;
  }

  /** Plays nf_nat_mangle_udp_packet: a datagram without checksum stays without. */
  boolean mangleUdp(
      Hook hook, SkBuff skb, int offset, int from, int length, Replacement replacement) {
    if (!replace(hook, skb, from, length, replacement)) {
      return false;
    }
    skb.setU16(offset + UdpHeader.LENGTH_OFFSET, skb.tail - offset);
    if (skb.u16(offset + UdpHeader.CHECKSUM_OFFSET) != 0) {
      sign(skb, offset, offset + UdpHeader.CHECKSUM_OFFSET, IpHeader.IPPROTO_UDP);
    }
    return true;
  }

  /** Plays mangle_contents and enlarge_skb. */
  private boolean replace(Hook hook, SkBuff skb, int from, int length, Replacement replacement) {
    int growth = replacement.length - length;
    if (growth > 0 && skb.length() + growth > MAX_PACKET) {
      return false;
    }
    if (growth > skb.tailroom()) {
      conntrack.net().skbs.expand(skb, skb.length() + growth);
    }
    System.arraycopy(
        skb.head, from + length, skb.head, from + replacement.length, skb.tail - from - length);
    System.arraycopy(replacement.bytes, 0, skb.head, from, replacement.length);
    skb.tail += growth;
    int ip = skb.networkHeader;
    skb.setU16(ip + IpHeader.TOTAL_LENGTH_OFFSET, skb.tail - ip);
    skb.setU16(ip + IpHeader.CHECKSUM_OFFSET, 0);
    skb.setU16(
        ip + IpHeader.CHECKSUM_OFFSET, Checksum.of(skb.head, ip, IpHeader.headerLength(skb)));
    if (skb.trace != null) {
      tell(hook, skb, growth, replacement);
    }
    return true;
  }

  private static void tell(Hook hook, SkBuff skb, int growth, Replacement replacement) {
    String text = "payload rewritten to " + replacement + ", ";
    if (growth == 0) {
      text += "same length";
    } else {
      text += (growth > 0 ? "+" : "") + growth + " bytes";
      if (IpHeader.protocol(skb) == IpHeader.IPPROTO_TCP) {
        text += "; later sequence numbers shift";
      }
    }
    skb.trace.on(
        new TraceEvent.HookStep(hook.name(), HookPriority.CONNTRACK_HELPER, "nat helper", text));
  }

  /** Plays nf_nat_csum_recalc, and at once what the kernel leaves to the device. */
  private static void sign(SkBuff skb, int offset, int field, int protocol) {
    int length = skb.tail - offset;
    skb.setU16(field, 0);
    int sum =
        Checksum.fold(
            Checksum.partial(
                skb.head,
                offset,
                length,
                Checksum.pseudoHeader(
                    IpHeader.source(skb), IpHeader.destination(skb), protocol, length)));
    skb.setU16(field, sum == 0 ? MANGLED_0 : sum);
    skb.ipSummed = SkBuff.CHECKSUM_PARTIAL;
  }

  /**
   * Plays nf_nat_exp_find_port: announces {@code expect} at {@code port} or, where that is taken,
   * at a random one above it.
   *
   * @return the port, 0 for none
   */
  int findPort(ConntrackExpect expect, int port) {
    int range = MAX_PORT - port;
    int attempts = Math.min(range, MAX_ATTEMPTS);
    int tried = port;
    while (true) {
      expect.tuple.destinationPort = tried;
      int error = conntrack.expectations().related(expect);
      if (error == 0) {
        return tried;
      }
      if (error != ConntrackExpectations.EBUSY || --attempts < 0) {
        return 0;
      }
      tried = port + conntrack.net().random.below(range);
    }
  }

  /**
   * Plays nf_nat_follow_master: the connection comes to where the announcement was translated to;
   * it goes to where it was meant, from where the master's packets seem to come.
   */
  void followMaster(int ct, ConntrackExpect expect) {
    int other = 1 - expect.direction;
    int master = expect.master;
    conntrack.nat().setup(ct, false, conntrack.destination(master, other));
    conntrack
        .nat()
        .setup(ct, true, conntrack.source(master, other), expect.savedPort, expect.savedPort);
  }
}
