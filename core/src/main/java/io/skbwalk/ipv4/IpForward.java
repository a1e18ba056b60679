// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.OkFunction;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/** Plays net/ipv4/ip_forward.c and ip_error: packets that are for somebody else. */
final class IpForward {
  /** ip_tos2prio: queueing priority (TC_PRIO_) by bits 1 to 4 of the TOS. */
  private static final byte[] TOS_TO_PRIORITY = {0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4};

  private final Net net;
  private final Netfilter netfilter;
  private final IpOptions options;
  private final InetPeers peers;
  private final Icmp icmp;
  private final OkFunction finish = this::finish;

  /** net.ipv4.ip_forward_use_pmtu: a learned path MTU counts for forwarded packets. */
  private boolean usePmtu;

  private boolean updatePriority = true;

  IpForward(Net net, Netfilter netfilter, IpOptions options, InetPeers peers, Icmp icmp) {
    this.net = net;
    this.netfilter = netfilter;
    this.options = options;
    this.peers = peers;
    this.icmp = icmp;
    net.sysctls.register(
        "net.ipv4.ip_forward_use_pmtu",
        () -> usePmtu ? 1 : 0,
        value -> usePmtu = value != 0,
        0,
        255);
    net.sysctls.register(
        "net.ipv4.ip_forward_update_priority",
        () -> updatePriority ? 1 : 0,
        value -> updatePriority = value != 0,
        0,
        1);
  }

  /** Plays ip_dst_mtu_maybe_forward, bytes. */
  int mtu(SkBuff skb, Rtable rt) {
    boolean forwarding = (skb.cbFlags & IpControlBlock.IPSKB_FORWARDED) != 0;
    return rt.mtu(forwarding && !usePmtu, net.clock.now());
  }

  /** Plays ip_forward: the packet has its route and goes on to another machine. */
  void forward(SkBuff skb) {
    if (skb.pktType != SkBuff.PACKET_HOST || skb.sk != null) {
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_forward");
      return;
    }
    if (skb.ipSummed == SkBuff.CHECKSUM_COMPLETE) {
      // skb_forward_csum: the TTL is about to change.
      skb.ipSummed = SkBuff.CHECKSUM_NONE;
    }
    int ttl = IpHeader.ttl(skb);
    if (ttl <= 1) {
      icmp.send(skb, IcmpHeader.TIME_EXCEEDED, Icmp.EXC_TTL, 0);
      net.skbs.drop(skb, DropReason.IP_INHDR, "ip_forward");
      return;
    }
    Rtable rt = Rtable.of(skb);
    IpControlBlock opt = IpControlBlock.options(skb);
    if (opt != null && opt.strictRoute && rt.gateway != 0) {
      icmp.send(skb, IcmpHeader.DEST_UNREACH, Icmp.SR_FAILED, 0);
      net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_forward");
      return;
    }
    skb.cbFlags |= IpControlBlock.IPSKB_FORWARDED;
    int mtu = mtu(skb, rt);
    if (exceedsMtu(skb, mtu)) {
      icmp.send(skb, IcmpHeader.DEST_UNREACH, Icmp.FRAG_NEEDED, mtu);
      net.skbs.drop(skb, DropReason.PKT_TOO_BIG, "ip_forward");
      return;
    }
    // TTL is the high byte of its 16 bits: ip_decrease_ttl.
    IpHeader.replace16(
        skb, IpHeader.TTL_OFFSET, skb.u16(skb.networkHeader + IpHeader.TTL_OFFSET) - 0x100);
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step("ip_forward", "ttl " + ttl + " -> " + (ttl - 1) + ", mtu " + mtu));
      skb.trace.on(new TraceEvent.Changed("ttl", Integer.toString(ttl), Integer.toString(ttl - 1)));
    }
    if ((skb.cbFlags & IpControlBlock.IPSKB_DOREDIRECT) != 0 && (opt == null || opt.srr == 0)) {
      sendRedirect(skb, rt);
    }
    if (updatePriority) {
      skb.priority = TOS_TO_PRIORITY[(IpHeader.tos(skb) & 0x1E) >> 1];
    }
    netfilter.hook(Hook.FORWARD, skb, NetDevice.of(skb), rt.dev, finish);
  }

  private static boolean exceedsMtu(SkBuff skb, int mtu) {
    if (skb.length() <= mtu || (IpHeader.fragment(skb) & IpHeader.IP_DF) == 0) {
      return false;
    }
    return skb.fragMaxSize > mtu || (skb.cbFlags & IpControlBlock.IGNORE_DF) == 0;
  }

  /** Plays ip_forward_finish. */
  private void finish(SkBuff skb) {
    IpControlBlock opt = IpControlBlock.options(skb);
    if (opt != null) {
      options.forward(skb, opt);
    }
    skb.dst.output(skb);
  }

  /** Plays ip_rt_send_redirect: tells the sender of a better first hop. */
  private void sendRedirect(SkBuff skb, Rtable rt) {
    int source = IpHeader.source(skb);
    if (!peers.allowRedirect(source)) {
      return;
    }
    int gateway = rt.nextHop(IpHeader.destination(skb));
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "ip_rt_send_redirect",
              Ip4.format(source) + " reaches " + Ip4.format(gateway) + " directly"));
    }
    icmp.send(skb, IcmpHeader.REDIRECT, Icmp.REDIR_HOST, gateway);
    peers.redirected(source);
  }

  /** Plays ip_error: the route leads nowhere. */
  void error(SkBuff skb, boolean forwards) {
    Rtable rt = Rtable.of(skb);
    DropReason reason = DropReason.NOT_SPECIFIED;
    int code = -1;
    switch (rt.error) {
      case Rtable.EHOSTUNREACH:
        code = Icmp.HOST_UNREACH;
        if (!forwards) {
          reason = DropReason.IP_INADDRERRORS;
        }
        break;
      case Rtable.ENETUNREACH:
        code = Icmp.NET_UNREACH;
        reason = DropReason.IP_INNOROUTES;
        break;
      case Rtable.EACCES:
        code = Icmp.PKT_FILTERED;
        break;
      default:
        break;
    }
    if (forwards && code >= 0 && peers.allowError(IpHeader.source(skb))) {
      icmp.send(skb, IcmpHeader.DEST_UNREACH, code, 0);
    }
    net.skbs.drop(skb, reason, "ip_error");
  }
}
