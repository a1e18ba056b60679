// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.NetworkCore;
import io.skbwalk.ipv4.Icmp;
import io.skbwalk.ipv4.IpOutput;
import io.skbwalk.ipv4.LocalDelivery;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.netfilter.InetSock;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;

/**
 * Plays inet_protos and the raw sockets: everything above IP that this machine has. The protocols
 * are those of the reference kernel: TCP, UDP, UDP-Lite, IGMP and PIM; IGMP's reports are not
 * modelled, as nothing here joins a group.
 *
 * <p>The IP layer delivers to this object and this object answers through the IP layer, so there
 * are two steps: make it, then {@link #init}.
 */
public final class Transport implements LocalDelivery {
  private static final int IPPROTO_PIM = 103;

  private final Net net;
  private final NetworkCore core;
  private final SocketTable table = new SocketTable();
  private final SocketHash listening = new SocketHash();
  private final SocketHash udpSocks = new SocketHash();
  private final RawSockets raw = new RawSockets();
  private final PortsInUse portsInUse = new PortsInUse();
  private final Flowi4 flow = new Flowi4();
  private Routing routing;
  private TcpDemux tcp;
  private UdpDemux udp;

  /** No sockets; cannot do anything before {@link #init}. */
  public Transport(Net net, NetworkCore core) {
    this.net = net;
    this.core = core;
  }

  /** Connects it with the IP layer through which it answers. */
  public void init(Netfilter netfilter, Routing routing, IpOutput output, Icmp icmp) {
    this.routing = routing;
    tcp = new TcpDemux(net, output, table, listening, portsInUse);
    udp = new UdpDemux(net, netfilter, icmp, table, udpSocks, portsInUse);
  }

  /** Who is told of each packet that a socket gets; null for nobody. */
  public void setListener(SocketListener listener) {
    table.listener = listener;
  }

  /** Plays socket and bind (and listen): from now on {@code sock} receives. */
  public void add(Sock sock) {
    table.add(sock);
    switch (sock.kind) {
      case TCP -> listening.add(sock);
      case UDP -> udpSocks.add(sock);
      case RAW -> raw.add(sock);
      case PACKET -> PacketSockets.add(sock, core, table);
    }
  }

  /** Ports of sockets that are known by their packets only. */
  public PortsInUse portsInUse() {
    return portsInUse;
  }

  /**
   * Whose socket has sent {@code skb}, which stands at its IP header: that with its source address
   * and port. Root's where there is none.
   */
  public SocketOwner ownerOf(SkBuff skb) {
    if (!skb.mayPull(IpHeader.MIN_LENGTH) || (IpHeader.fragment(skb) & IpHeader.IP_OFFSET) != 0) {
      return SocketOwner.ROOT;
    }
    int protocol = IpHeader.protocol(skb);
    int at = skb.data + IpHeader.headerLength(skb);
    if (protocol != IpHeader.IPPROTO_TCP && protocol != IpHeader.IPPROTO_UDP || skb.tail - at < 2) {
      return SocketOwner.ROOT;
    }
    SocketHash socks = protocol == IpHeader.IPPROTO_TCP ? listening : udpSocks;
    Sock sock = socks.owner(IpHeader.source(skb), skb.u16(at));
    return sock == null ? SocketOwner.ROOT : sock.owner;
  }

  /** All sockets. */
  public SocketTable sockets() {
    return table;
  }

  /**
   * Plays inet_iif: the index of the interface that {@code skb} came in on; for what this machine
   * sent to an own address, the interface that has the address.
   */
  static int iif(SkBuff skb) {
    Rtable rt = Rtable.of(skb);
    return rt.isInput || rt.type != Ipv4Operations.RTN_LOCAL || rt.route == null
        ? skb.iif
        : rt.route.dev.ifindex;
  }

  /** Plays skb_steal_sock: the socket that TPROXY has given {@code skb} to, or null. */
  static Sock assigned(SkBuff skb) {
    return skb.sk instanceof Sock sock ? sock : null;
  }

  @Override
  public boolean deliverRaw(SkBuff skb, int protocol) {
    return raw.deliver(skb, protocol, table.listener);
  }

  @Override
  public boolean deliver(SkBuff skb, int protocol) {
    switch (protocol) {
      case IpHeader.IPPROTO_TCP -> tcp.receive(skb);
      case IpHeader.IPPROTO_UDP, UdpDemux.IPPROTO_UDPLITE -> udp.receive(skb, protocol);
      case IpHeader.IPPROTO_IGMP -> net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "igmp_rcv");
      case IPPROTO_PIM -> net.skbs.drop(skb, DropReason.NOT_SPECIFIED, "pim_rcv");
      default -> {
        return false;
      }
    }
    return true;
  }

  @Override
  public InetSock lookupListener(int protocol, int address, int port, int iif) {
    return (protocol == IpHeader.IPPROTO_TCP ? listening : udpSocks).lookup(address, port, iif);
  }

  @Override
  public InetSock lookupSocket(int protocol, int address, int port, int iif) {
    InetSock sock = lookupListener(protocol, address, port, iif);
    if (sock != null || routing.addressType(null, address) != Ipv4Operations.RTN_LOCAL) {
      return sock;
    }
    return protocol == IpHeader.IPPROTO_TCP ? portsInUse.tcp(port) : portsInUse.udp(port);
  }

  /**
   * Listening and unconnected sockets have nobody to tell, but a path MTU and a redirect that they
   * caused are learned: a UDP or raw socket's, not a listening TCP socket's.
   */
  @Override
  public void icmpError(SkBuff skb, int protocol, int info) {
    int quoted = skb.data;
    int local = skb.u32(quoted + IpHeader.SOURCE_OFFSET);
    Sock sock = raw.lookup(protocol, local, iif(skb));
    if (sock != null) {
      learn(skb, sock, info);
    }
    if (protocol == IpHeader.IPPROTO_UDP) {
      int port = skb.u16(quoted + (skb.u8(quoted) & 15) * 4);
      sock = udpSocks.lookup(local, port, iif(skb));
      if (sock != null) {
        learn(skb, sock, info);
      }
    }
  }

  /** Plays ipv4_sk_update_pmtu and ipv4_sk_redirect. */
  private void learn(SkBuff skb, Sock sock, int info) {
    int type = skb.u8(skb.transportHeader + IcmpHeader.TYPE_OFFSET);
    int code = skb.u8(skb.transportHeader + IcmpHeader.CODE_OFFSET);
    flow.reset(skb.u32(skb.data + IpHeader.DESTINATION_OFFSET));
    flow.saddr = skb.u32(skb.data + IpHeader.SOURCE_OFFSET);
    flow.proto = skb.u8(skb.data + IpHeader.PROTOCOL_OFFSET);
    flow.oif = sock.device == null ? 0 : sock.device.ifindex;
    if (type == IcmpHeader.DEST_UNREACH && code == Icmp.FRAG_NEEDED) {
      routing.updatePmtu(flow, info);
    } else if (type == IcmpHeader.REDIRECT) {
      routing.redirect(flow, IpHeader.source(skb), info, NetDevice.of(skb));
    }
  }

  @Override
  public boolean deliverPing(SkBuff skb) {
    return false;
  }
}
