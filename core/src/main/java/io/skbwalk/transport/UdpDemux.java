// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.ipv4.Icmp;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays net/ipv4/udp.c and udplite.c: lengths, checksum, the socket or sockets, port unreachable.
 */
final class UdpDemux {
  /** UDP-Lite (RFC 3828), which has no sockets here. */
  static final int IPPROTO_UDPLITE = 136;

  private static final String UDP4_LIB_RCV = "__udp4_lib_rcv";

  private final Net net;
  private final Netfilter netfilter;
  private final Icmp icmp;
  private final SocketTable table;
  private final PortsInUse portsInUse;
  private final SocketHash socks;
  private final SocketHash none = new SocketHash();

  UdpDemux(
      Net net,
      Netfilter netfilter,
      Icmp icmp,
      SocketTable table,
      SocketHash socks,
      PortsInUse portsInUse) {
    this.portsInUse = portsInUse;
    this.net = net;
    this.netfilter = netfilter;
    this.icmp = icmp;
    this.table = table;
    this.socks = socks;
  }

  /**
   * Plays udp_rcv and udplite_rcv: takes {@code skb} over, whose {@code data} stands at the UDP
   * header.
   */
  void receive(SkBuff skb, int protocol) {
    DropReason reason = check(skb, protocol);
    if (reason != null) {
      net.skbs.drop(skb, reason, UDP4_LIB_RCV);
      return;
    }
    SocketHash hash = protocol == IpHeader.IPPROTO_UDP ? socks : none;
    int port = skb.u16(skb.transportHeader + UdpHeader.DESTINATION_OFFSET);
    if ((Rtable.of(skb).flags & (Rtable.RTCF_BROADCAST | Rtable.RTCF_MULTICAST)) != 0) {
      multicast(skb, hash, port);
      return;
    }
    Sock sock = Transport.assigned(skb);
    if (sock == null) {
      sock = hash.lookup(IpHeader.destination(skb), port, Transport.iif(skb));
    }
    if (sock == null && protocol == IpHeader.IPPROTO_UDP) {
      sock = portsInUse.udp(port);
    }
    if (sock != null) {
      if (enqueue(skb, sock)) {
        net.skbs.consume(skb);
      } else {
        net.skbs.drop(skb, DropReason.SOCKET_RCVBUFF, "udp_queue_rcv_one_skb");
      }
      return;
    }
    // What answers it is not attached to its connection.
    netfilter.resetConntrack(skb);
    if (!complete(skb, protocol)) {
      net.skbs.drop(skb, DropReason.UDP_CSUM, UDP4_LIB_RCV);
      return;
    }
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step(UDP4_LIB_RCV, "no socket for port " + port));
    }
    icmp.send(skb, IcmpHeader.DEST_UNREACH, Icmp.PORT_UNREACH, 0);
    net.skbs.drop(skb, DropReason.NO_SOCKET, UDP4_LIB_RCV);
  }

  /** What is wrong with length or checksum, or null; cuts the packet to the datagram's length. */
  private static DropReason check(SkBuff skb, int protocol) {
    if (!skb.mayPull(UdpHeader.LENGTH)) {
      return DropReason.NOT_SPECIFIED;
    }
    int at = skb.transportHeader;
    int length = skb.u16(at + UdpHeader.LENGTH_OFFSET);
    if (length > skb.length()) {
      return DropReason.PKT_TOO_SMALL;
    }
    int checksum = skb.u16(at + UdpHeader.CHECKSUM_OFFSET);
    if (protocol == IpHeader.IPPROTO_UDP) {
      if (length < UdpHeader.LENGTH) {
        return DropReason.PKT_TOO_SMALL;
      }
      if (length < skb.length()) {
        skb.trim(length);
        // What conntrack may have verified was the longer datagram. A sum stays a sum.
        if (skb.ipSummed == SkBuff.CHECKSUM_UNNECESSARY) {
          skb.ipSummed = SkBuff.CHECKSUM_NONE;
        }
      }
      if (checksum == 0) {
        skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
        return null;
      }
      // With a sum at hand a wrong one shows at once, however long the datagram is.
      return (skb.ipSummed == SkBuff.CHECKSUM_COMPLETE
              ? TransportChecksum.complete(skb, protocol)
              : TransportChecksum.initial(skb, protocol))
          ? null
          : DropReason.UDP_CSUM;
    }
    // The length field is the checksum's coverage, and a checksum there must be.
    if (checksum == 0 || length != 0 && length < UdpHeader.LENGTH) {
      return DropReason.UDP_CSUM;
    }
    return null;
  }

  private static boolean complete(SkBuff skb, int protocol) {
    if (protocol == IpHeader.IPPROTO_UDP) {
      return TransportChecksum.complete(skb, protocol);
    }
    int coverage = skb.u16(skb.transportHeader + UdpHeader.LENGTH_OFFSET);
    return TransportChecksum.sum(skb, protocol, coverage == 0 ? skb.length() : coverage) == 0;
  }

  /** Plays __udp4_lib_mcast_deliver: each socket of the port and address gets a copy. */
  private void multicast(SkBuff skb, SocketHash hash, int port) {
    boolean found = false;
    int destination = IpHeader.destination(skb);
    for (Sock sock = hash.first(port); sock != null; sock = sock.next) {
      if (sock.port == port
          && (sock.address == 0 || sock.address == destination)
          && sock.boundTo(Transport.iif(skb))) {
        found = true;
        enqueue(skb, sock);
      }
    }
    if (found) {
      net.skbs.consume(skb);
    } else {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, UDP4_LIB_RCV);
    }
  }

  /**
   * Plays udp_queue_rcv_skb. A wrong checksum of a long datagram is found by the application's
   * read: the datagram is gone without having been received.
   *
   * @return false when the buffer is full
   */
  private boolean enqueue(SkBuff skb, Sock sock) {
    if (sock.isFull()) {
      sock.drops++;
      return false;
    }
    if (!TransportChecksum.complete(skb, IpHeader.IPPROTO_UDP)) {
      sock.checksumErrors++;
      if (skb.trace != null) {
        skb.trace.on(
            new TraceEvent.Socket(
                "udp_queue_rcv_skb", sock.toString(), "wrong checksum; lost when it is read"));
      }
      return true;
    }
    sock.take(skb, skb.length() - UdpHeader.LENGTH, "udp_queue_rcv_skb", table.listener);
    return true;
  }
}
