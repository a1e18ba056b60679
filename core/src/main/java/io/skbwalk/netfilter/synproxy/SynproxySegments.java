// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.synproxy;

import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays the senders of nf_synproxy_core.c: the four segments that a proxy makes of the one at hand.
 * Each goes out through LOCAL_OUT, with the options as they stand.
 */
final class SynproxySegments {
  private final Ipv4Operations ipv4;
  private final Conntrack conntrack;
  private final SynproxyOptions options;

  SynproxySegments(Ipv4Operations ipv4, Conntrack conntrack, SynproxyOptions options) {
    this.ipv4 = ipv4;
    this.conntrack = conntrack;
    this.options = options;
  }

  /** Plays synproxy_send_client_synack: the answer to a SYN, whose window is closed. */
  void clientSynAck(SkBuff syn, int tcp, int cookie) {
    int flags = TcpHeader.SYN | TcpHeader.ACK;
    SkBuff made =
        answer(
            syn,
            tcp,
            cookie,
            syn.u32(tcp + TcpHeader.SEQUENCE_OFFSET) + 1,
            options.has(SynproxyInfo.ECN) ? flags | TcpHeader.ECE : flags,
            0);
    if (syn.ct != 0) {
      conntrack.set(made, syn.ct, ConntrackInfo.IP_CT_ESTABLISHED_REPLY);
    }
    send(made, "synproxy_send_client_synack");
  }

  /** Plays synproxy_send_server_syn: the client's SYN again; its ack field tells us the cookie. */
  void serverSyn(SkBuff ack, int tcp, int sequence, int template) {
    int ecn = options.has(SynproxyInfo.ECN) ? TcpHeader.ECE | TcpHeader.CWR : 0;
    SkBuff made =
        passOn(
            ack,
            tcp,
            sequence - 1,
            ack.u32(tcp + TcpHeader.ACK_OFFSET) - 1,
            TcpHeader.SYN | ecn,
            ack.u16(tcp + TcpHeader.WINDOW_OFFSET));
    conntrack.set(made, template, ConntrackInfo.IP_CT_NEW);
    send(made, "synproxy_send_server_syn");
  }

  /** Plays synproxy_send_server_ack: the end of the handshake with the server. */
  void serverAck(SkBuff synAck, int tcp) {
    SkBuff made =
        answer(
            synAck,
            tcp,
            synAck.u32(tcp + TcpHeader.ACK_OFFSET),
            synAck.u32(tcp + TcpHeader.SEQUENCE_OFFSET) + 1,
            TcpHeader.ACK,
            conntrack.tcpMaxWindow(synAck.ct, ConntrackInfo.ORIGINAL));
    send(made, "synproxy_send_server_ack");
  }

  /** Plays synproxy_send_client_ack: opens the window, so that the client sends. */
  void clientAck(SkBuff synAck, int tcp) {
    SkBuff made =
        passOn(
            synAck,
            tcp,
            synAck.u32(tcp + TcpHeader.SEQUENCE_OFFSET) + 1,
            synAck.u32(tcp + TcpHeader.ACK_OFFSET),
            TcpHeader.ACK,
            synAck.u16(tcp + TcpHeader.WINDOW_OFFSET) >> options.windowScale);
    conntrack.set(made, synAck.ct, ConntrackInfo.IP_CT_ESTABLISHED_REPLY);
    send(made, "synproxy_send_client_ack");
  }

  /** A segment back to where {@code skb} came from. */
  private SkBuff answer(SkBuff skb, int tcp, int sequence, int ack, int flags, int window) {
    SkBuff made = ipv4.makeSegment(skb, IpHeader.destination(skb), IpHeader.source(skb), length());
    int source = skb.u16(tcp + TcpHeader.DESTINATION_OFFSET);
    int destination = skb.u16(tcp + TcpHeader.SOURCE_OFFSET);
    write(made, source << 16 | destination, sequence, ack, flags, window);
    return made;
  }

  /** A segment to where {@code skb} goes. */
  private SkBuff passOn(SkBuff skb, int tcp, int sequence, int ack, int flags, int window) {
    SkBuff made = ipv4.makeSegment(skb, IpHeader.source(skb), IpHeader.destination(skb), length());
    write(made, skb.u32(tcp), sequence, ack, flags, window);
    return made;
  }

  private int length() {
    return TcpHeader.MIN_LENGTH + options.size();
  }

  private void write(SkBuff skb, int ports, int sequence, int ack, int flags, int window) {
    int tcp = skb.transportHeader;
    skb.setU32(tcp, ports);
    skb.setU32(tcp + TcpHeader.SEQUENCE_OFFSET, sequence);
    skb.setU32(tcp + TcpHeader.ACK_OFFSET, ack);
    skb.setU8(tcp + TcpHeader.DATA_OFFSET, length() / 4 << 4);
    skb.setU8(tcp + TcpHeader.FLAGS_OFFSET, flags);
    skb.setU16(tcp + TcpHeader.WINDOW_OFFSET, window);
    skb.setU32(tcp + TcpHeader.CHECKSUM_OFFSET, 0);
    options.write(skb, tcp + TcpHeader.MIN_LENGTH);
  }

  private void send(SkBuff made, String function) {
    if (made.trace != null) {
      made.trace.on(new TraceEvent.Made(function, PacketSummary.ofPacket(made)));
    }
    ipv4.sendSegment(made, function);
  }
}
