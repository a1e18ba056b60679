// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.ipv4.IpOutput;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays net/ipv4/tcp_ipv4.c as far as the choice of a socket. A listening socket takes every
 * segment for its port, those of connections too, and says nothing.
 */
final class TcpDemux {
  private static final String TCP_V4_RCV = "tcp_v4_rcv";

  private final Net net;
  private final IpOutput output;
  private final SocketTable table;
  private final SocketHash listening;
  private static final int OPTION_END = 0;
  private static final int OPTION_NOP = 1;
  private static final int OPTION_MD5 = 19;
  private static final int MD5_OPTION_LENGTH = 18;

  private final PortsInUse portsInUse;
  private final byte[] reset = new byte[TcpHeader.MIN_LENGTH];

  TcpDemux(
      Net net, IpOutput output, SocketTable table, SocketHash listening, PortsInUse portsInUse) {
    this.portsInUse = portsInUse;
    this.net = net;
    this.output = output;
    this.table = table;
    this.listening = listening;
  }

  /** Plays tcp_v4_rcv: takes {@code skb} over, whose {@code data} stands at the TCP header. */
  void receive(SkBuff skb) {
    DropReason reason = check(skb);
    if (reason != null) {
      net.skbs.drop(skb, reason, TCP_V4_RCV);
      return;
    }
    int at = skb.transportHeader;
    int port = skb.u16(at + TcpHeader.DESTINATION_OFFSET);
    Sock sock = Transport.assigned(skb);
    if (sock == null) {
      sock = listening.lookup(IpHeader.destination(skb), port, Transport.iif(skb));
    }
    if (sock == null) {
      sock = portsInUse.tcp(port);
    }
    if (sock != null) {
      reason = authentication(skb);
      if (reason != null) {
        net.skbs.drop(skb, reason, TCP_V4_RCV);
        return;
      }
      deliver(skb, sock);
      return;
    }
    if (!TransportChecksum.complete(skb, IpHeader.IPPROTO_TCP)) {
      net.skbs.drop(skb, DropReason.TCP_CSUM, TCP_V4_RCV);
      return;
    }
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step(TCP_V4_RCV, "no socket for port " + port));
    }
    sendReset(skb);
    net.skbs.drop(skb, DropReason.NO_SOCKET, TCP_V4_RCV);
  }

  /** What is wrong with the header, or null. */
  private static DropReason check(SkBuff skb) {
    if (skb.pktType != SkBuff.PACKET_HOST || !skb.mayPull(TcpHeader.MIN_LENGTH)) {
      return DropReason.NOT_SPECIFIED;
    }
    int headerLength = TcpHeader.headerLength(skb, skb.transportHeader);
    if (headerLength < TcpHeader.MIN_LENGTH) {
      return DropReason.PKT_TOO_SMALL;
    }
    if (!skb.mayPull(headerLength)) {
      return DropReason.NOT_SPECIFIED;
    }
    return TransportChecksum.initial(skb, IpHeader.IPPROTO_TCP) ? null : DropReason.TCP_CSUM;
  }

  private void deliver(SkBuff skb, Sock sock) {
    if (!TransportChecksum.complete(skb, IpHeader.IPPROTO_TCP)) {
      net.skbs.drop(skb, DropReason.TCP_CSUM, "tcp_v4_do_rcv");
      return;
    }
    int at = skb.transportHeader;
    int flags = TcpHeader.flags(skb, at);
    if ((flags & (TcpHeader.SYN | TcpHeader.ACK | TcpHeader.RST)) == TcpHeader.SYN) {
      sock.connections++;
    }
    sock.take(skb, skb.length() - TcpHeader.headerLength(skb, at), "tcp_v4_do_rcv", table.listener);
    net.skbs.consume(skb);
  }

  /** Plays tcp_v4_send_reset for a segment without a socket. */
  private void sendReset(SkBuff skb) {
    int at = skb.transportHeader;
    int flags = TcpHeader.flags(skb, at);
    if ((flags & TcpHeader.RST) != 0
        || Rtable.of(skb).type != Ipv4Operations.RTN_LOCAL
        || authentication(skb) != null) {
      return;
    }
    int sequence = 0;
    int acknowledged = 0;
    int answer = TcpHeader.RST;
    if ((flags & TcpHeader.ACK) != 0) {
      sequence = skb.u32(at + TcpHeader.ACK_OFFSET);
    } else {
      answer |= TcpHeader.ACK;
      acknowledged =
          skb.u32(at + TcpHeader.SEQUENCE_OFFSET)
              + (flags & TcpHeader.SYN) / TcpHeader.SYN
              + (flags & TcpHeader.FIN)
              + skb.length()
              - TcpHeader.headerLength(skb, at);
    }
    put16(TcpHeader.SOURCE_OFFSET, skb.u16(at + TcpHeader.DESTINATION_OFFSET));
    put16(TcpHeader.DESTINATION_OFFSET, skb.u16(at + TcpHeader.SOURCE_OFFSET));
    put16(TcpHeader.SEQUENCE_OFFSET, sequence >>> 16);
    put16(TcpHeader.SEQUENCE_OFFSET + 2, sequence);
    put16(TcpHeader.ACK_OFFSET, acknowledged >>> 16);
    put16(TcpHeader.ACK_OFFSET + 2, acknowledged);
    reset[TcpHeader.DATA_OFFSET] = TcpHeader.MIN_LENGTH / 4 << 4;
    reset[TcpHeader.FLAGS_OFFSET] = (byte) answer;
    put16(TcpHeader.CHECKSUM_OFFSET, 0);
    put16(
        TcpHeader.CHECKSUM_OFFSET,
        Checksum.fold(
            Checksum.partial(
                reset,
                0,
                reset.length,
                Checksum.pseudoHeader(
                    IpHeader.destination(skb),
                    IpHeader.source(skb),
                    IpHeader.IPPROTO_TCP,
                    reset.length))));
    output.sendUnicastReply(skb, reset, reset.length, IpHeader.tos(skb));
  }

  /**
   * Plays tcp_inbound_hash and tcp_parse_auth_options: what is wrong about a segment with an MD5
   * signature (RFC 2385), for which nobody has the key, or with options that make no sense; null
   * when nothing is. As in Linux options are looked at only as long as a signature could still
   * follow.
   */
  private static DropReason authentication(SkBuff skb) {
    int header = skb.transportHeader;
    int at = header + TcpHeader.MIN_LENGTH;
    int end = header + TcpHeader.headerLength(skb, header);
    while (end - at >= MD5_OPTION_LENGTH) {
      int kind = skb.u8(at);
      if (kind == OPTION_END) {
        return null;
      }
      if (kind == OPTION_NOP) {
        at++;
        continue;
      }
      int length = skb.u8(at + 1);
      if (length < 2 || length > end - at || kind == OPTION_MD5 && length != MD5_OPTION_LENGTH) {
        return DropReason.TCP_AUTH_HDR;
      }
      if (kind == OPTION_MD5) {
        return DropReason.TCP_MD5UNEXPECTED;
      }
      at += length;
    }
    return null;
  }

  private void put16(int offset, int value) {
    reset[offset] = (byte) (value >> 8);
    reset[offset + 1] = (byte) value;
  }
}
