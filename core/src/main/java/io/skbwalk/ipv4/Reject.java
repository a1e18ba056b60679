// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;

/** Plays net/ipv4/netfilter/nf_reject_ipv4.c: the answers of REJECT. */
final class Reject {
  private static final int IPPROTO_GRE = 47;
  private static final int IPPROTO_ESP = 50;
  private static final int IPPROTO_AH = 51;
  private static final int IPPROTO_SCTP = 132;
  private static final int IPPROTO_UDPLITE = 136;

  private final Net net;
  private final Netfilter netfilter;
  private final Routing routing;
  private final IpOutput output;
  private final Icmp icmp;
  private final Flowi4 flow = new Flowi4();

  Reject(Net net, Netfilter netfilter, Routing routing, IpOutput output, Icmp icmp) {
    this.net = net;
    this.netfilter = netfilter;
    this.routing = routing;
    this.output = output;
    this.icmp = icmp;
  }

  /** Plays nf_send_unreach. */
  void sendUnreachable(SkBuff skb, int code, Hook hook) {
    if ((IpHeader.fragment(skb) & IpHeader.IP_OFFSET) != 0) {
      return;
    }
    if (skb.dst == null && !fillRoute(skb)) {
      return;
    }
    int at = skb.networkHeader + IpHeader.headerLength(skb);
    int protocol = IpHeader.protocol(skb);
    if (skb.checksumUnnecessary()
        || !verifiesChecksum(skb, at, protocol)
        || checksumIsRight(skb, at, protocol, hook)) {
      icmp.send(skb, IcmpHeader.DEST_UNREACH, code, 0);
    }
  }

  /** Plays nf_reject_verify_csum: does a wrong checksum keep the answer back? */
  private static boolean verifiesChecksum(SkBuff skb, int at, int protocol) {
    return switch (protocol) {
      case IpHeader.IPPROTO_UDP ->
          at + UdpHeader.LENGTH > skb.tail || skb.u16(at + UdpHeader.CHECKSUM_OFFSET) != 0;
      // Not DCCP: Linux has none since 6.16, and takes its sum for one like that of ICMP.
      case IPPROTO_GRE, IPPROTO_AH, IPPROTO_ESP, IPPROTO_SCTP, IPPROTO_UDPLITE -> false;
      default -> true;
    };
  }

  /** Plays nf_ip_checksum: protocols that it does not know must sum up to 0 too. */
  private static boolean checksumIsRight(SkBuff skb, int at, int protocol, Hook hook) {
    if (skb.ipSummed == SkBuff.CHECKSUM_COMPLETE && hook == Hook.LOCAL_OUT) {
      // A copy of what came in with a wrong sum (TEE): on the way out nobody compares it.
      return true;
    }
    // The kernel sums the IP header too. That counts nothing while the header is sound, which it is
    // not where an option has been written to and the header's checksum comes later.
    long sum = 0;
    if (protocol == IpHeader.IPPROTO_TCP || protocol == IpHeader.IPPROTO_UDP) {
      sum =
          Checksum.pseudoHeader(
              IpHeader.source(skb), IpHeader.destination(skb), protocol, skb.tail - at);
    }
    int ip = skb.networkHeader;
    return Checksum.fold(Checksum.partial(skb.head, ip, skb.tail - ip, sum)) == 0;
  }

  private boolean fillRoute(SkBuff skb) {
    flow.reset(IpHeader.source(skb));
    skb.dst = routing.output(flow);
    return skb.dst != null;
  }

  /** Plays nf_send_reset. */
  void sendReset(SkBuff skb, Hook hook) {
    int at = skb.networkHeader + IpHeader.headerLength(skb);
    if ((IpHeader.fragment(skb) & IpHeader.IP_OFFSET) != 0
        || IpHeader.protocol(skb) != IpHeader.IPPROTO_TCP
        || at + TcpHeader.MIN_LENGTH > skb.tail
        || (TcpHeader.flags(skb, at) & TcpHeader.RST) != 0
        || isVerifiedForReset(skb) && !checksumIsRight(skb, at, IpHeader.IPPROTO_TCP, hook)) {
      return;
    }
    if (skb.dst == null && !fillRoute(skb)) {
      return;
    }
    Rtable rt = Rtable.of(skb);
    if ((rt.flags & (Rtable.RTCF_BROADCAST | Rtable.RTCF_MULTICAST)) != 0) {
      return;
    }
    SkBuff reset = output.answer(skb, rt, TcpHeader.MIN_LENGTH, null, 0);
    reset.sk = null;
    reset.mark = output.replyMark(skb);
    IpHeaderWriter.write(
        reset,
        IpHeader.MIN_LENGTH,
        0,
        0,
        IpHeader.IP_DF,
        output.defaultTtl(),
        IpHeader.IPPROTO_TCP,
        IpHeader.destination(skb),
        IpHeader.source(skb));
    writeReset(reset, skb, at);
    Segments.sum(reset);
    if (reset.trace != null) {
      reset.trace.on(new TraceEvent.Made("nf_send_reset", PacketSummary.ofPacket(reset)));
    }
    if (!output.routeMeHarder(reset)
        || reset.length() > Rtable.of(reset).mtu(false, net.clock.now())) {
      net.skbs.drop(reset, DropReason.NOT_SPECIFIED, "nf_send_reset");
      return;
    }
    netfilter.attach(reset, skb);
    netfilter.setClosing(skb);
    output.localOut(reset);
  }

  /**
   * What conntrack found out about the checksum is no more used for a packet on its way through.
   */
  private static boolean isVerifiedForReset(SkBuff skb) {
    return !skb.checksumUnnecessary()
        || skb.ipSummed == SkBuff.CHECKSUM_UNNECESSARY
            && (skb.cbFlags & IpControlBlock.IPSKB_FORWARDED) != 0;
  }

  /** Plays nf_reject_ip_tcphdr_put (RFC 9293, 3.10.7.1: the reset of a closed port). */
  private static void writeReset(SkBuff reset, SkBuff skb, int at) {
    int tcp = reset.transportHeader;
    for (int i = 0; i < TcpHeader.MIN_LENGTH; i += 4) {
      reset.setU32(tcp + i, 0);
    }
    int flags = TcpHeader.flags(skb, at);
    reset.setU16(tcp + TcpHeader.SOURCE_OFFSET, skb.u16(at + TcpHeader.DESTINATION_OFFSET));
    reset.setU16(tcp + TcpHeader.DESTINATION_OFFSET, skb.u16(at + TcpHeader.SOURCE_OFFSET));
    reset.setU8(tcp + TcpHeader.DATA_OFFSET, TcpHeader.MIN_LENGTH / 4 << 4);
    if ((flags & TcpHeader.ACK) != 0) {
      reset.setU32(tcp + TcpHeader.SEQUENCE_OFFSET, skb.u32(at + TcpHeader.ACK_OFFSET));
      reset.setU8(tcp + TcpHeader.FLAGS_OFFSET, TcpHeader.RST);
      return;
    }
    int length =
        skb.tail
            - at
            - TcpHeader.headerLength(skb, at)
            + ((flags & TcpHeader.SYN) != 0 ? 1 : 0)
            + ((flags & TcpHeader.FIN) != 0 ? 1 : 0);
    reset.setU32(tcp + TcpHeader.ACK_OFFSET, skb.u32(at + TcpHeader.SEQUENCE_OFFSET) + length);
    reset.setU8(tcp + TcpHeader.FLAGS_OFFSET, TcpHeader.RST | TcpHeader.ACK);
  }
}
