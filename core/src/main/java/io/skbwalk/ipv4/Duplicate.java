// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.InDevice;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/** Plays net/ipv4/netfilter/nf_dup_ipv4.c: the copies of TEE. */
final class Duplicate {
  private final Net net;
  private final Routing routing;
  private final IpOutput output;
  private final Flowi4 flow = new Flowi4();

  /** The last route to a gateway on the link, and the same with the gateway as next hop. */
  private Rtable onLink;

  private Rtable through;

  /** nf_skb_duplicated: a copy is on its way. */
  private boolean duplicating;

  Duplicate(Net net, Routing routing, IpOutput output) {
    this.net = net;
    this.routing = routing;
    this.output = output;
  }

  /** Plays nf_dup_ipv4: see {@link io.skbwalk.netfilter.Ipv4Operations#duplicate}. */
  void duplicate(SkBuff skb, Hook hook, int gateway, String device) {
    if (duplicating) {
      return;
    }
    SkBuff copy = net.skbs.copy(skb, 0);
    copy.nfTrace = skb.nfTrace;
    copy.ctInfo = ConntrackInfo.IP_CT_UNTRACKED;
    // It shares the fragments that it was put together from, so it is split anew, DF and all.
    copy.cbFlags &= ~IpControlBlock.HAS_FRAG_LIST;
    // Who sent it is to learn when the copy is too long for its way.
    int fragment = copy.networkHeader + IpHeader.FRAGMENT_OFFSET;
    copy.setU16(fragment, copy.u16(fragment) | IpHeader.IP_DF);
    if (hook == Hook.PRE_ROUTING || hook == Hook.LOCAL_IN) {
      // Two machines that send each other copies come to an end.
      copy.setU8(copy.networkHeader + IpHeader.TTL_OFFSET, IpHeader.ttl(copy) - 1);
    }
    if (copy.trace != null) {
      copy.trace.on(new TraceEvent.Made("nf_dup_ipv4", PacketSummary.ofPacket(copy)));
    }
    Rtable rt = route(copy, gateway, device);
    if (rt == null) {
      net.skbs.drop(copy, DropReason.NOT_SPECIFIED, "nf_dup_ipv4");
      return;
    }
    copy.dst = rt;
    copy.dev = rt.dev;
    copy.protocol = EthernetHeader.ETH_P_IP;
    duplicating = true;
    output.localOut(copy);
    duplicating = false;
  }

  private Rtable route(SkBuff copy, int gateway, String device) {
    flow.reset(gateway);
    flow.tos = IpHeader.tos(copy) & IpOutput.INET_DSCP_MASK;
    InDevice out = device.isEmpty() ? null : routing.devices().named(device);
    flow.oif = out == null ? 0 : out.dev.ifindex;
    Rtable rt = routing.output(flow);
    routing.tellOutput(copy, "nf_dup_ipv4", flow, rt);
    if (rt == null || rt.gateway != 0 || rt.route == null) {
      return rt;
    }
    // FLOWI_FLAG_KNOWN_NH: the gateway gets it, not the destination. Linux forgets that where no
    // table has a route, on the link of --oif and for a broadcast.
    if (rt != onLink || gateway != through.gateway) {
      onLink = rt;
      through = routing.through(rt, gateway);
    }
    return through;
  }
}
