// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.Fib;
import io.skbwalk.ipv4.route.FibConfig;
import io.skbwalk.ipv4.route.InDevices;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.InetSock;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.FreeListener;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceListener;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * The machine of these tests: 203.0.113.1/24 on eth0 with the default route to 203.0.113.254, and
 * 192.168.7.1/24 on eth1; it forwards, answers without rate limits, and every neighbour is there.
 * UDP has no sockets, so it answers with port unreachable; nothing else is handled above IP but
 * ICMP.
 */
final class Router {
  final Net net = new Net(1_767_225_600_000_000_000L, 1);
  final Netfilter netfilter = new Netfilter(net);
  final InDevices devices = new InDevices(net);
  final Fib fib = new Fib(devices);
  final Inet inet = new Inet(net, netfilter);
  final Routing routing;
  final NetDevice lo = new NetDevice("lo", 1, 0, 65536, NetDevice.IFF_UP | NetDevice.IFF_LOOPBACK);
  final NetDevice eth0 = ethernet("eth0", 2);
  final NetDevice eth1 = ethernet("eth1", 3);

  /** What left, in order: interface, and the packet in hexadecimal. */
  final List<String> sent = new ArrayList<>();

  /** What was dropped: reason and function. */
  final List<String> dropped = new ArrayList<>();

  /** Quoted packets handed to the protocols. */
  final List<String> errors = new ArrayList<>();

  /** What transport got: protocol and payload. */
  final List<String> delivered = new ArrayList<>();

  /** Frames that were sent as they left. */
  final List<byte[]> frames = new ArrayList<>();

  TraceListener trace;

  /** A neighbour that does not answer, or null. */
  String linkFailsFor;

  private boolean recording = true;
  private final ArrayDeque<SkBuff> backlog = new ArrayDeque<>();

  Router() {
    for (NetDevice dev : List.of(lo, eth0, eth1)) {
      devices.add(dev);
    }
    routing = new Routing(net, devices, fib, lo, inet);
    inet.init(routing, new Wire(), new NoSockets());
    fib.addAddress(lo, Ip4.parse("127.0.0.1"), 8, 0);
    fib.addAddress(eth0, Ip4.parse("203.0.113.1"), 24, 0);
    fib.addAddress(eth1, Ip4.parse("192.168.7.1"), 24, 0);
    fib.addRoute(
        FibConfig.to(0, 0, Ipv4Operations.RTN_UNICAST, null).via(Ip4.parse("203.0.113.254")));
    net.sysctls.set("net.ipv4.ip_forward", "1");
    net.sysctls.set("net.ipv4.icmp_ratemask", "0");
    net.skbs.setFreeListener(
        new FreeListener() {
          @Override
          public void dropped(SkBuff skb, DropReason reason, String function) {
            if (recording) {
              dropped.add(reason + " " + function);
            }
          }

          @Override
          public void released(SkBuff skb) {}
        });
  }

  private static NetDevice ethernet(String name, int index) {
    return new NetDevice(
        name,
        index,
        0x020000000000L + index,
        1500,
        NetDevice.IFF_UP | NetDevice.IFF_BROADCAST | NetDevice.IFF_MULTICAST);
  }

  /** Switches off what costs memory, to measure the path itself. */
  void stopRecording() {
    recording = false;
  }

  /** The hooks that packets pass from now on, as {@code HOOK in out}, in order. */
  List<String> watchHooks() {
    List<String> seen = new ArrayList<>();
    for (Hook hook : Hook.values()) {
      netfilter.register(
          hook,
          0,
          (h, skb, in, out) -> {
            seen.add(h + " " + in + " " + out);
            return Verdict.ACCEPT;
          });
    }
    return seen;
  }

  Router sysctl(String name, long value) {
    net.sysctls.set(name, Long.toString(value));
    return this;
  }

  /** An IP packet comes in on eth0, addressed to this machine's Ethernet address. */
  Router receive(byte[] packet) {
    return receive(eth0, SkBuff.PACKET_HOST, packet);
  }

  Router receive(NetDevice dev, byte pktType, byte[] packet) {
    sent.clear();
    frames.clear();
    dropped.clear();
    errors.clear();
    delivered.clear();
    SkBuff skb = build(packet, packet.length);
    skb.dev = dev;
    skb.iif = dev.ifindex;
    skb.pktType = pktType;
    inet.receive().receive(skb, dev);
    softirq();
    return this;
  }

  /** Receives what was looped back. */
  void softirq() {
    SkBuff looped;
    while ((looped = backlog.poll()) != null) {
      looped.iif = looped.dev.ifindex;
      inet.receive().receive(looped, NetDevice.of(looped));
    }
  }

  SkBuff build(byte[] packet, int length) {
    SkBuff skb = net.skbs.allocate(64, 14 + length);
    skb.macHeader = skb.put(14);
    java.util.Arrays.fill(skb.head, skb.macHeader, skb.macHeader + 14, (byte) 0);
    skb.pull(14);
    skb.networkHeader = skb.put(length);
    System.arraycopy(packet, 0, skb.head, skb.networkHeader, length);
    skb.protocol = EthernetHeader.ETH_P_IP;
    skb.tstamp = net.clock.now();
    skb.trace = trace;
    skb.frame = 1;
    return skb;
  }

  private final class Wire implements LinkLayer {
    @Override
    public void output(SkBuff skb, NetDevice dev, int nextHop) {
      if (dev.isLoopback()) {
        skb.pktType = SkBuff.PACKET_HOST;
        backlog.add(skb);
        return;
      }
      if (linkFailsFor != null && nextHop == Ip4.parse(linkFailsFor)) {
        inet.icmp().linkFailure(skb);
        net.skbs.drop(skb, DropReason.NEIGH_FAILED, "arp_error_report");
        return;
      }
      if (recording) {
        byte[] bytes = java.util.Arrays.copyOfRange(skb.head, skb.data, skb.tail);
        frames.add(bytes);
        sent.add(dev + " via " + Ip4.format(nextHop) + " " + Packets.describe(bytes));
      }
      net.skbs.consume(skb);
    }

    @Override
    public void netifRx(SkBuff skb) {
      backlog.add(skb);
    }
  }

  private final class NoSockets implements LocalDelivery {
    @Override
    public InetSock lookupListener(int protocol, int address, int port, int iif) {
      return null;
    }

    @Override
    public InetSock lookupSocket(int protocol, int address, int port, int iif) {
      return null;
    }

    @Override
    public boolean deliverRaw(SkBuff skb, int protocol) {
      return false;
    }

    @Override
    public boolean deliver(SkBuff skb, int protocol) {
      if (protocol != 17) {
        return false;
      }
      if (recording) {
        delivered.add(
            protocol
                + " "
                + HexFormat.of().formatHex(skb.head, skb.data, Math.min(skb.tail, skb.data + 64)));
      }
      inet.icmp().send(skb, 3, 3, 0);
      net.skbs.drop(skb, DropReason.NO_SOCKET, "__udp4_lib_rcv");
      return true;
    }

    @Override
    public void icmpError(SkBuff skb, int protocol, int info) {
      if (recording) {
        errors.add(protocol + " " + info);
      }
    }

    @Override
    public boolean deliverPing(SkBuff skb) {
      return false;
    }
  }
}
