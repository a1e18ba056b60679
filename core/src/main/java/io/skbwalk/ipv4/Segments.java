// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import io.skbwalk.skb.TcpHeader;

/** Plays synproxy_build_ip and synproxy_send_tcp: how the segments of SYNPROXY go out. */
final class Segments {
  private final Net net;
  private final IpOutput output;

  Segments(Net net, IpOutput output) {
    this.net = net;
    this.output = output;
  }

  /** Plays synproxy_build_ip: see {@link Ipv4Operations#makeSegment}. */
  SkBuff make(SkBuff skb, int source, int destination, int length) {
    SkBuff segment = net.skbs.allocate(SkBuffPool.HEADROOM, IpHeader.MIN_LENGTH + length);
    segment.networkHeader = segment.put(IpHeader.MIN_LENGTH);
    segment.transportHeader = segment.put(length);
    segment.protocol = EthernetHeader.ETH_P_IP;
    segment.tstamp = net.clock.now();
    segment.frame = skb.frame;
    segment.trace = skb.trace;
    IpHeaderWriter.write(
        segment,
        IpHeader.MIN_LENGTH,
        0,
        0,
        IpHeader.IP_DF,
        output.defaultTtl(),
        IpHeader.IPPROTO_TCP,
        source,
        destination);
    return segment;
  }

  /** Plays synproxy_send_tcp: see {@link Ipv4Operations#sendSegment}. */
  void send(SkBuff segment, String function) {
    sum(segment);
    if (!output.routeMeHarder(segment)) {
      net.skbs.drop(segment, DropReason.NOT_SPECIFIED, function);
      return;
    }
    output.localOut(segment);
  }

  /** Sums up a TCP segment of this machine's, whose checksum is still 0. */
  static void sum(SkBuff segment) {
    int tcp = segment.transportHeader;
    int length = segment.tail - tcp;
    long sum =
        Checksum.pseudoHeader(
            IpHeader.source(segment), IpHeader.destination(segment), IpHeader.IPPROTO_TCP, length);
    segment.setU16(
        tcp + TcpHeader.CHECKSUM_OFFSET,
        Checksum.fold(Checksum.partial(segment.head, tcp, length, sum)));
    segment.ipSummed = SkBuff.CHECKSUM_PARTIAL;
  }
}
