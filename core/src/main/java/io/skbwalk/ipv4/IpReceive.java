// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.DeviceSetting;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.OkFunction;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;

/** Plays net/ipv4/ip_input.c: takes IPv4 packets from the interfaces, up to the protocols. */
public final class IpReceive {
  private final Net net;
  private final Netfilter netfilter;
  private final Routing routing;
  private final IpOptions options;
  private final IpFragments fragments;
  private final Icmp icmp;
  private final LocalDelivery transport;
  private final OkFunction finish = this::finish;
  private final OkFunction localDeliverFinish = this::localDeliverFinish;
  private boolean earlyDemux = true;
  private boolean tcpEarlyDemux = true;
  private long udpEarlyDemux = 1;

  IpReceive(
      Net net,
      Netfilter netfilter,
      Routing routing,
      IpOptions options,
      IpFragments fragments,
      Icmp icmp,
      LocalDelivery transport) {
    this.net = net;
    this.netfilter = netfilter;
    this.routing = routing;
    this.options = options;
    this.fragments = fragments;
    this.icmp = icmp;
    this.transport = transport;
    net.sysctls.register(
        "net.ipv4.ip_early_demux",
        () -> earlyDemux ? 1 : 0,
        value -> earlyDemux = value != 0,
        0,
        255);
    net.sysctls.register(
        "net.ipv4.tcp_early_demux",
        () -> tcpEarlyDemux ? 1 : 0,
        value -> tcpEarlyDemux = value != 0,
        0,
        255);
    // A UDP header is never cut by fragments: nothing is to be seen of this one.
    net.sysctls.register(
        "net.ipv4.udp_early_demux", () -> udpEarlyDemux, value -> udpEarlyDemux = value, 0, 255);
  }

  /**
   * Plays ip_rcv: the handler of EtherType 0x0800. Takes {@code skb} over; its {@link SkBuff#data}
   * and {@link SkBuff#networkHeader} stand behind the Ethernet header.
   *
   * @param dev the interface it came in on, also {@code skb.dev}
   */
  public void receive(SkBuff skb, NetDevice dev) {
    if (core(skb)) {
      netfilter.hook(Hook.PRE_ROUTING, skb, dev, null, finish);
    }
  }

  /** Plays ip_rcv_core: is it a sound IPv4 header? False when the packet is gone. */
  private boolean core(SkBuff skb) {
    if (skb.pktType == SkBuff.PACKET_OTHERHOST) {
      return drop(skb, DropReason.OTHERHOST);
    }
    if (!skb.mayPull(IpHeader.MIN_LENGTH)) {
      return drop(skb, DropReason.IP_INHDR);
    }
    int at = skb.networkHeader;
    int versionAndLength = skb.u8(at);
    int headerLength = (versionAndLength & 15) * 4;
    if (headerLength < IpHeader.MIN_LENGTH
        || versionAndLength >>> 4 != 4
        || !skb.mayPull(headerLength)) {
      return drop(skb, DropReason.IP_INHDR);
    }
    if (Checksum.of(skb.head, at, headerLength) != 0) {
      return drop(skb, DropReason.IP_CSUM);
    }
    int length = IpHeader.totalLength(skb);
    if (skb.length() < length) {
      return drop(skb, DropReason.PKT_TOO_SMALL);
    }
    if (length < headerLength) {
      return drop(skb, DropReason.IP_INHDR);
    }
    skb.trim(length);
    skb.transportHeader = at + headerLength;
    // ignore_df is no part of the control block: over the loopback it stays.
    skb.cbFlags &= IpControlBlock.IGNORE_DF;
    skb.fragMaxSize = 0;
    skb.sk = null;
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "ip_rcv",
              "header " + headerLength + " bytes, checksum right, total length " + length));
    }
    return true;
  }

  private boolean drop(SkBuff skb, DropReason reason) {
    net.skbs.drop(skb, reason, "ip_rcv_core");
    return false;
  }

  /** Plays ip_rcv_finish. */
  private void finish(SkBuff skb) {
    DropReason reason = finishCore(skb, NetDevice.of(skb));
    if (reason != null) {
      net.skbs.drop(skb, reason, "ip_rcv_finish_core");
      return;
    }
    skb.dst.input(skb);
  }

  /** Plays ip_rcv_finish_core: the route, then the options, which need it. */
  private DropReason finishCore(SkBuff skb, NetDevice dev) {
    if (skb.dst == null) {
      if ((skb.cbFlags & IpControlBlock.HAS_FRAG_LIST) != 0) {
        earlyDemux(skb);
      }
      DropReason reason =
          routing.input(
              skb, IpHeader.destination(skb), IpHeader.source(skb), IpHeader.tos(skb), dev);
      if (reason != null) {
        return reason;
      }
    }
    if (IpHeader.headerLength(skb) > IpHeader.MIN_LENGTH) {
      DropReason reason = options.receive(skb, dev, icmp);
      if (reason != null) {
        return reason;
      }
    }
    int type = Rtable.of(skb).type;
    if (type != Ipv4Operations.RTN_MULTICAST
        && type != Ipv4Operations.RTN_BROADCAST
        && (skb.pktType == SkBuff.PACKET_BROADCAST || skb.pktType == SkBuff.PACKET_MULTICAST)
        && routing.devices().of(dev).is(DeviceSetting.DROP_UNICAST_IN_L2_MULTICAST)) {
      return DropReason.UNICAST_IN_L2_MULTICAST;
    }
    return null;
  }

  /**
   * All that is to be seen of tcp_v4_early_demux: it pulls the TCP header together, and a packet
   * whose first fragment was shorter than that is not split again as it came.
   */
  private void earlyDemux(SkBuff skb) {
    if (earlyDemux
        && tcpEarlyDemux
        && IpHeader.protocol(skb) == IpHeader.IPPROTO_TCP
        && skb.pktType == SkBuff.PACKET_HOST
        && !IpHeader.isFragment(skb)
        && skb.tail - skb.transportHeader >= TcpHeader.MIN_LENGTH
        && skb.networkHeader + IpControlBlock.of(skb).firstLength
            < skb.transportHeader + TcpHeader.MIN_LENGTH) {
      skb.cbFlags &= ~IpControlBlock.HAS_FRAG_LIST;
    }
  }

  /** Plays ip_local_deliver: the packet is for this machine. */
  void localDeliver(SkBuff skb) {
    if (IpHeader.isFragment(skb)
        && !fragments.defragment(skb, IpFragments.IP_DEFRAG_LOCAL_DELIVER)) {
      return;
    }
    netfilter.hook(Hook.LOCAL_IN, skb, NetDevice.of(skb), null, localDeliverFinish);
  }

  /** Plays ip_local_deliver_finish and ip_protocol_deliver_rcu. */
  private void localDeliverFinish(SkBuff skb) {
    int protocol = IpHeader.protocol(skb);
    skb.transportHeader = skb.networkHeader + IpHeader.headerLength(skb);
    skb.data = skb.transportHeader;
    boolean raw = transport.deliverRaw(skb, protocol);
    if (protocol == IpHeader.IPPROTO_ICMP) {
      icmp.receive(skb);
      return;
    }
    if (transport.deliver(skb, protocol)) {
      return;
    }
    if (raw) {
      net.skbs.consume(skb);
      return;
    }
    icmp.send(skb, IcmpHeader.DEST_UNREACH, Icmp.PROT_UNREACH, 0);
    net.skbs.drop(skb, DropReason.IP_NOPROTO, "ip_local_deliver_finish");
  }
}
