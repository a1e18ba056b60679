// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.FibRoute;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.InDevice;
import io.skbwalk.ipv4.route.RouteActions;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.InetSock;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.ReversePath;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;

/**
 * Plays net/ipv4/af_inet.c: the IPv4 layer of one machine, put together.
 *
 * <p>Routing acts through this object and this object routes through it, so there are two steps:
 * make it, make the {@link Routing} with it, then {@link #init}.
 */
public final class Inet implements RouteActions, Ipv4Operations {
  private final Net net;
  private final Netfilter netfilter;
  private final Flowi4 flow = new Flowi4();
  private Routing routing;
  private IpFragments fragments;
  private IpReceive receive;
  private IpForward forward;
  private IpOutput output;
  private Icmp icmp;
  private Reject reject;
  private Duplicate duplicate;
  private Segments segments;
  private LocalDelivery transport;

  /** A layer that cannot do anything before {@link #init}. */
  public Inet(Net net, Netfilter netfilter) {
    this.net = net;
    this.netfilter = netfilter;
  }

  /**
   * Plays inet_init: connects the layer with its neighbours and makes its sysctls known.
   *
   * @param routing made with this object as its {@link RouteActions}
   */
  public void init(Routing routing, LinkLayer link, LocalDelivery transport) {
    this.routing = routing;
    InetPeers peers = new InetPeers(net.clock);
    IpOptions options = new IpOptions(net, routing);
    output = new IpOutput(net, netfilter, routing, options, link);
    icmp = new Icmp(net, netfilter, routing, options, peers, output, transport);
    forward = new IpForward(net, netfilter, options, peers, icmp);
    output.connect(forward, icmp);
    fragments = new IpFragments(net, peers, this::reassemblyTimedOut);
    receive = new IpReceive(net, netfilter, routing, options, fragments, icmp, transport);
    this.transport = transport;
    duplicate = new Duplicate(net, routing, output);
    segments = new Segments(net, output);
    reject = new Reject(net, netfilter, routing, output, icmp);
  }

  /** The receive path: the handler of EtherType 0x0800. */
  public IpReceive receive() {
    return receive;
  }

  /** The send path. */
  public IpOutput output() {
    return output;
  }

  /** ICMP, for who must report an error. */
  public Icmp icmp() {
    return icmp;
  }

  /** Fragments that wait. */
  public IpFragments fragments() {
    return fragments;
  }

  private void reassemblyTimedOut(SkBuff first, NetDevice device, boolean onlyWhenLocal) {
    DropReason reason =
        routing.lookupInput(
            first,
            IpHeader.destination(first),
            IpHeader.source(first),
            IpHeader.tos(first),
            device);
    if (reason == null && (!onlyWhenLocal || Rtable.of(first).type == Ipv4Operations.RTN_LOCAL)) {
      icmp.send(first, IcmpHeader.TIME_EXCEEDED, Icmp.EXC_FRAGTIME, 0);
    }
  }

  // ---- what routes do with packets -------------------------------------------------------------

  @Override
  public void localDeliver(SkBuff skb) {
    receive.localDeliver(skb);
  }

  @Override
  public void forward(SkBuff skb) {
    forward.forward(skb);
  }

  @Override
  public void error(SkBuff skb) {
    InDevice in = routing.devices().of(NetDevice.of(skb));
    forward.error(skb, in != null && in.forwards());
  }

  @Override
  public void output(SkBuff skb) {
    output.output(skb);
  }

  @Override
  public void multicastOutput(SkBuff skb) {
    output.multicastOutput(skb);
  }

  @Override
  public void routeBug(SkBuff skb) {
    net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "ip_rt_bug");
  }

  @Override
  public void discard(SkBuff skb) {
    net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "dst_discard_out");
  }

  // ---- what netfilter asks ---------------------------------------------------------------------

  @Override
  public int addressType(NetDevice device, int address) {
    return routing.addressType(device, address);
  }

  @Override
  public int selectAddress(NetDevice device, int destination) {
    return routing.selectAddress(device, destination, FibRoute.RT_SCOPE_UNIVERSE);
  }

  @Override
  public int firstAddress(NetDevice device) {
    InDevice in = routing.devices().of(device);
    return in == null || in.addresses().length == 0 ? 0 : in.addresses()[0].address();
  }

  @Override
  public int nextHop(SkBuff skb) {
    return Rtable.of(skb).nextHop(IpHeader.destination(skb));
  }

  @Override
  public boolean routeMeHarder(SkBuff skb) {
    return output.routeMeHarder(skb);
  }

  @Override
  public int dstMtu(SkBuff skb) {
    return Rtable.of(skb).mtu(false, net.clock.now());
  }

  @Override
  public int reverseMtu(SkBuff skb) {
    Rtable back = routing.output(flow.reset(IpHeader.source(skb)));
    return back == null ? Integer.MAX_VALUE : back.mtu(false, net.clock.now());
  }

  @Override
  public void reversePath(SkBuff skb, int mark, ReversePath path) {
    int destination = IpHeader.destination(skb);
    boolean toOne = !Ip4.isMulticast(destination) && destination != -1;
    routing.reversePath(
        IpHeader.source(skb), toOne ? destination : 0, mark, IpHeader.tos(skb), path);
  }

  @Override
  public void sendUnreachable(SkBuff skb, int code, Hook hook) {
    reject.sendUnreachable(skb, code, hook);
  }

  @Override
  public void sendReset(SkBuff skb, Hook hook) {
    reject.sendReset(skb, hook);
  }

  @Override
  public SkBuff makeSegment(SkBuff skb, int source, int destination, int length) {
    return segments.make(skb, source, destination, length);
  }

  @Override
  public void sendSegment(SkBuff segment, String function) {
    segments.send(segment, function);
  }

  @Override
  public void duplicate(SkBuff skb, Hook hook, int gateway, String device) {
    duplicate.duplicate(skb, hook, gateway, device);
  }

  @Override
  public InetSock lookupListener(int protocol, int address, int port, NetDevice in) {
    return transport.lookupListener(protocol, address, port, in.ifindex);
  }

  @Override
  public InetSock lookupSocket(int protocol, int address, int port, NetDevice in) {
    return transport.lookupSocket(protocol, address, port, in.ifindex);
  }

  @Override
  public boolean defragment(SkBuff skb, int user) {
    if (!fragments.defragment(skb, user)) {
      return false;
    }
    // nf_ct_ipv4_gather_frags: it may be split again in spite of DF.
    skb.cbFlags |= IpControlBlock.IGNORE_DF;
    return true;
  }
}
