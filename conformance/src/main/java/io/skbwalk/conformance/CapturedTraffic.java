// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.LinkType;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The frames of a capture as they come to a router between the two sides: each arrives at the
 * interface where its sender is, by the Ethernet addresses of that link. Addresses, ports and
 * contents stay as they were captured. No time passes between them.
 */
final class CapturedTraffic {
  /** Ethernet addresses of the router that some captures were taken at; it forwards anew here. */
  private static final Set<Long> ROUTER =
      Set.of(Mac.parse("02:00:00:00:00:01"), Mac.parse("02:00:00:00:01:01"));

  private static final Set<String> AT_THE_ROUTER =
      Set.of("nat-router.pcapng", "arp.pcap", "broadcast-multicast.pcap", "vlan.pcap");

  private static final int ETHERNET = 14;
  private static final int MTU = 1500;
  private static final int LAN = Ip4.parse("192.168.7.0");
  private static final int WAN = Ip4.parse("203.0.113.0");
  private static final int GATEWAY = Ip4.parse("203.0.113.254");

  /** Machines that have the router before them besides those of the LAN. */
  private static final List<Integer> BEHIND =
      List.of(Ip4.parse("203.0.113.80"), Ip4.parse("10.77.0.1"));

  private final Path capture;
  private final Set<Integer> addresses = new TreeSet<>();
  private final List<Scenario.Step> steps = new ArrayList<>();

  private CapturedTraffic(Path capture) {
    this.capture = capture;
  }

  /** The frames of {@code capture} through the router under {@code rules}. */
  static Scenario under(Path capture, String rules, HostDescription.Netfilter named) {
    CapturedTraffic traffic = new CapturedTraffic(capture);
    traffic.read();
    return Scenario.on(
        traffic.router().with(named), capture.getFileName().toString(), rules, traffic.steps);
  }

  private void read() {
    try (CaptureReader reader = CaptureReader.open(capture)) {
      while (reader.next()) {
        byte[] frame = new byte[reader.capturedLength()];
        reader.copyTo(frame, 0, frame.length);
        String comment = "captured frame " + reader.frameNumber();
        if (reader.linkType() != LinkType.ETHERNET) {
          add(frame, 0x0800, Mac.BROADCAST - 1, comment);
        } else if (!isAtTheRouter() || !ROUTER.contains(mac(frame, 6))) {
          int type = ETHERNET - 2;
          while (ether(frame, type) == 0x8100 || ether(frame, type) == 0x88A8) {
            // The links here have no VLANs.
            type += 4;
          }
          byte[] packet = Arrays.copyOfRange(frame, type + 2, frame.length);
          add(packet, ether(frame, type), mac(frame, 0), comment);
        }
      }
    }
  }

  private boolean isAtTheRouter() {
    return AT_THE_ROUTER.contains(capture.getFileName().toString());
  }

  private static int ether(byte[] frame, int at) {
    return Short.toUnsignedInt(ByteBuffer.wrap(frame).getShort(at));
  }

  private static long mac(byte[] frame, int at) {
    return ByteBuffer.wrap(frame).getLong(at) >>> 16;
  }

  private void add(byte[] packet, int etherType, long destination, String comment) {
    boolean arp = etherType == 0x0806;
    if (packet.length > MTU || packet.length < 28 || !arp && etherType != 0x0800) {
      return;
    }
    int from = ByteBuffer.wrap(packet).getInt(arp ? 14 : 12);
    int to = ByteBuffer.wrap(packet).getInt(arp ? 24 : 16);
    boolean inside = isInside(from);
    addresses.add(from);
    addresses.add(to);
    ByteBuffer frame = ByteBuffer.allocate(ETHERNET + packet.length);
    long own = inside ? RandomHost.MAC1 : RandomHost.MAC0;
    long sender = RandomHost.mac(isOnLink(from) ? from : GATEWAY);
    putMac(frame, Mac.isGroup(destination) ? destination : own);
    putMac(frame, arp ? mac(packet, 8) : sender);
    frame.putShort((short) etherType).put(packet);
    steps.add(new Scenario.Step(inside ? "eth1" : "eth0", frame.array(), comment));
  }

  private static void putMac(ByteBuffer frame, long mac) {
    frame.putShort((short) (mac >>> 32)).putInt((int) mac);
  }

  private static boolean isInside(int address) {
    return address >>> 8 == LAN >>> 8 || BEHIND.contains(address);
  }

  private static boolean isOnLink(int address) {
    return isInside(address) || address >>> 8 == WAN >>> 8;
  }

  /** Where the router was captured it has its own addresses, elsewhere some that nobody has. */
  private HostDescription router() {
    int own = isAtTheRouter() ? 1 : 7;
    List<Neighbour> neighbours = new ArrayList<>();
    addresses.add(GATEWAY);
    for (int address : addresses) {
      int host = address & 255;
      if (isOnLink(address) && host != own && host != 0 && host != 255) {
        String link = isInside(address) ? "eth1" : "eth0";
        neighbours.add(new Neighbour(address, RandomHost.mac(address), link));
      }
    }
    List<Route> routes = new ArrayList<>();
    routes.add(route(0, 0, GATEWAY, "eth0"));
    BEHIND.forEach(address -> routes.add(route(address, 32, 0, "eth1")));
    return new HostDescription(
        "router",
        List.of(nic("eth0", RandomHost.MAC0, WAN + own), nic("eth1", RandomHost.MAC1, LAN + own)),
        routes,
        List.of(),
        neighbours,
        false,
        // Redirects are sent so many milliseconds apart, and the kernel takes its time.
        Map.of(
            "net.ipv4.ip_forward", "1",
            "net.ipv4.conf.all.send_redirects", "0",
            "net.ipv4.conf.eth0.send_redirects", "0",
            "net.ipv4.conf.eth1.send_redirects", "0",
            "net.ipv4.conf.all.rp_filter", "0",
            "net.ipv4.conf.eth0.rp_filter", "0",
            "net.ipv4.conf.eth1.rp_filter", "0",
            "net.netfilter.nf_conntrack_acct", "1",
            "net.netfilter.nf_conntrack_events", "1"),
        List.of(
            new Socket(SocketKind.TCP, 0, 22, 0, null, 0),
            new Socket(SocketKind.UDP, 0, 53, 0, null, 0)));
  }

  private static Interface nic(String name, long mac, int address) {
    return new Interface(name, mac, List.of(new Address(address, 24)), MTU, true, 256, null, 0);
  }

  private static Route route(int to, int length, int via, String device) {
    return new Route(to, length, RouteType.UNICAST, via, device, 254, 0, 0, 0, false);
  }
}
