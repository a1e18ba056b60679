// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.SocketOwner;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Draws a machine: always eth0 to the outside and eth1 to the inside with the addresses that the
 * conversations use, and anything beside them. What is drawn is what `ip` and `sysctl` accept.
 */
final class RandomHost extends Draws {
  static final long MAC0 = Mac.parse("02:00:00:00:00:01");
  static final long MAC1 = Mac.parse("02:00:00:00:01:01");
  static final long MAC2 = Mac.parse("02:00:00:00:02:01");
  static final int OUTSIDE = Ip4.parse("203.0.113.1");
  static final int INSIDE = Ip4.parse("192.168.7.1");

  /** Machines outside: two on the link, others behind the gateway. */
  static final int[] PEERS_OUT = {
    Ip4.parse("203.0.113.254"),
    Ip4.parse("203.0.113.9"),
    Ip4.parse("198.51.100.9"),
    Ip4.parse("198.51.100.77"),
  };

  /** Machines inside. */
  static final int[] PEERS_IN = {
    Ip4.parse("192.168.7.2"), Ip4.parse("192.168.7.3"), Ip4.parse("192.168.7.80"),
  };

  /** Machines beside them, on links that a machine may have or not. */
  static final int[] PEERS_ELSEWHERE = {
    Ip4.parse("10.2.0.2"), Ip4.parse("198.18.0.2"), Ip4.parse("198.18.0.6"), Ip4.parse("10.7.3.3"),
  };

  private static final String[] DEVICES = {"eth0", "eth1", "eth2"};

  /** Settings of interfaces, with values that are drawn. */
  private static final String[][] DEVICE_SETTINGS = {
    {"accept_local", "1"},
    {"accept_redirects", "0", "1"},
    {"accept_source_route", "0", "1"},
    {"arp_accept", "1", "2"},
    {"arp_announce", "1", "2"},
    {"arp_filter", "1"},
    {"arp_ignore", "1", "2", "3", "4", "8"},
    {"bc_forwarding", "1"},
    {"bootp_relay", "1"},
    {"drop_gratuitous_arp", "1"},
    {"drop_unicast_in_l2_multicast", "1"},
    {"forwarding", "0", "1"},
    {"log_martians", "1"},
    {"proxy_arp", "1"},
    {"proxy_arp_pvlan", "1"},
    {"medium_id", "-1", "1", "2"},
    {"route_localnet", "1"},
    {"rp_filter", "0", "1", "2"},
    {"secure_redirects", "0", "1"},
    {"send_redirects", "0", "1"},
    {"shared_media", "0"},
    {"src_valid_mark", "1"},
  };

  /** Settings of the machine, with values that are drawn. */
  private static final String[][] SETTINGS = {
    {"net.ipv4.fwmark_reflect", "1"},
    {"net.ipv4.icmp_echo_enable_probe", "1"},
    {"net.ipv4.icmp_echo_ignore_all", "1"},
    {"net.ipv4.icmp_echo_ignore_broadcasts", "0"},
    {"net.ipv4.icmp_errors_use_inbound_ifaddr", "1"},
    {"net.ipv4.icmp_ignore_bogus_error_responses", "0"},
    {"net.ipv4.ip_default_ttl", "1", "33", "255"},
    {"net.ipv4.ip_early_demux", "0"},
    {"net.ipv4.ip_forward_update_priority", "0"},
    {"net.ipv4.ip_forward_use_pmtu", "1"},
    {"net.ipv4.ip_no_pmtu_disc", "1", "2", "3"},
    {"net.ipv4.ipfrag_max_dist", "0", "1", "2"},
    {"net.ipv4.route.min_pmtu", "68", "1000"},
  };

  private final List<Interface> interfaces = new ArrayList<>();
  private final List<Route> routes = new ArrayList<>();
  private final Set<List<Integer>> routeKeys = new HashSet<>();
  private final List<PolicyRule> policies = new ArrayList<>();
  private final List<Neighbour> neighbours = new ArrayList<>();
  private final Map<String, String> sysctls = new LinkedHashMap<>();
  private final List<Socket> sockets = new ArrayList<>();

  RandomHost(Random random) {
    super(random);
  }

  /** One machine. */
  HostDescription description() {
    drawInterfaces();
    drawRoutes();
    drawPolicies();
    drawNeighbours();
    drawSysctls();
    drawSockets();
    return new HostDescription(
        "host", interfaces, routes, policies, neighbours, false, sysctls, sockets);
  }

  /** The Ethernet address of the machine's interface {@code device}. */
  static long macOf(String device) {
    return switch (device) {
      case "eth1" -> MAC1;
      case "eth2" -> MAC2;
      default -> MAC0;
    };
  }

  /** The Ethernet address that the machine {@code address} has. */
  static long mac(int address) {
    return 0x0200_0000_0000L | address & 0xFFFFFFFFL;
  }

  private String device() {
    return DEVICES[random.nextInt(interfaces.size())];
  }

  // ---- interfaces and addresses
  // ------------------------------------------------------------------

  private void drawInterfaces() {
    List<Address> outside = new ArrayList<>(List.of(new Address(OUTSIDE, 24)));
    if (oneIn(3)) {
      outside.add(new Address(OUTSIDE + 1, 24));
    }
    some(outside, 6, "203.0.113.65/26", "198.18.0.1/30", "198.18.0.5/31", "192.0.2.1/32");
    if (oneIn(12)) {
      java.util.Collections.reverse(outside);
    }
    List<Address> inside = new ArrayList<>(List.of(new Address(INSIDE, 24)));
    some(inside, 8, "192.168.7.200/24", "192.168.6.1/23", "10.7.0.1/16", "203.0.113.2/32");
    add("eth0", MAC0, outside, oneIn(5) ? 600 : 1500);
    add("eth1", MAC1, inside, oneIn(4) ? 1280 : 1500);
    if (oneIn(3)) {
      List<Address> third = new ArrayList<>();
      if (oneIn(6)) {
        some(third, 1, "192.168.7.9/24");
      } else if (!oneIn(6)) {
        some(third, 1, pick("10.2.0.1/24", "10.2.0.1/30", "10.2.0.3/31", "10.2.0.1/32"));
      }
      add("eth2", MAC2, third, pick(1500, 1500, 576, 9000));
    }
  }

  private void add(String name, long mac, List<Address> addresses, int mtu) {
    interfaces.add(new Interface(name, mac, addresses, mtu, true, 256, null, 0));
  }

  private void some(List<Address> addresses, int in, String... prefixes) {
    for (String prefix : prefixes) {
      if (oneIn(in)) {
        int slash = prefix.indexOf('/');
        addresses.add(
            new Address(
                Ip4.parse(prefix.substring(0, slash)),
                Integer.parseInt(prefix.substring(slash + 1))));
      }
    }
  }

  // ---- routes
  // ------------------------------------------------------------------------------------

  private void drawRoutes() {
    if (!oneIn(8)) {
      route("0.0.0.0/0", RouteType.UNICAST, "203.0.113.254", "eth0", 254);
    }
    if (oneIn(8)) {
      RouteType[] types = {RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.BLACKHOLE};
      route("198.51.100.64/26", types[random.nextInt(3)], null, null, 254);
    }
    int more = oneIn(3) ? 1 + random.nextInt(4) : 0;
    for (int i = 0; i < more; i++) {
      int table = pick(254, 254, 100, 101);
      String to =
          pick(
              "0.0.0.0/0",
              "198.51.100.0/24",
              "198.51.100.0/25",
              "198.51.100.9/32",
              "198.51.100.77/32",
              "192.168.7.80/32",
              "10.0.0.0/8",
              "10.1.0.0/16",
              "192.168.7.64/26",
              "203.0.113.9/32");
      switch (random.nextInt(8)) {
        case 0 -> route(to, RouteType.UNICAST, null, device(), table);
        case 1 -> route(to, RouteType.UNICAST, "192.168.7.3", "eth1", table);
        case 2 -> route(to, RouteType.UNICAST, "203.0.113.9", null, table);
        case 3 -> route(to, RouteType.THROW, null, null, table);
        case 4 ->
            route(
                to,
                new RouteType[] {RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.BLACKHOLE}
                    [random.nextInt(3)],
                null,
                null,
                table);
        case 5 -> route(pick("10.9.9.0/24", "10.9.9.9/32"), RouteType.LOCAL, null, "lo", table);
        default -> route(to, RouteType.UNICAST, "203.0.113.9", "eth0", table);
      }
    }
    if (oneIn(12)) {
      add(
          new Route(
              0,
              0,
              RouteType.UNICAST,
              Ip4.parse("10.99.99.1"),
              device(),
              254,
              pick(0, 50),
              0,
              0,
              true));
    }
  }

  private void route(String prefix, RouteType type, String via, String device, int table) {
    int slash = prefix.indexOf('/');
    boolean unicast = type == RouteType.UNICAST;
    add(
        new Route(
            Ip4.parse(prefix.substring(0, slash)),
            Integer.parseInt(prefix.substring(slash + 1)),
            type,
            via == null ? 0 : Ip4.parse(via),
            device,
            table,
            oneIn(4) ? pick(1, 50, 200) : 0,
            unicast && oneIn(6) ? pick(OUTSIDE, INSIDE) : 0,
            unicast && oneIn(6) ? pick(500, 576, 1000, 1400) : 0,
            false));
  }

  /** Two routes of the same key would be refused. */
  private void add(Route route) {
    if (routeKeys.add(
        List.of(route.table(), route.destination(), route.prefixLength(), route.metric()))) {
      routes.add(route);
    }
  }

  private void drawPolicies() {
    int count = oneIn(3) ? 1 + random.nextInt(3) : 0;
    int priority = 500;
    if (count > 0 && oneIn(2)) {
      route("198.51.100.0/24", RouteType.UNICAST, "203.0.113.9", "eth0", 100);
    }
    for (int i = 0; i < count; i++) {
      priority += 100;
      int from = 0;
      int fromLength = 0;
      int to = 0;
      int toLength = 0;
      int mark = 0;
      int mask = 0;
      int tos = 0;
      String iif = null;
      String oif = null;
      switch (random.nextInt(6)) {
        case 0 -> {
          from = pick(PEERS_OUT[1], PEERS_IN[0], OUTSIDE, Ip4.parse("192.168.7.0"));
          fromLength = from == Ip4.parse("192.168.7.0") ? 24 : 32;
        }
        case 1 -> {
          to = pick(PEERS_OUT[2], PEERS_IN[2], Ip4.parse("198.51.100.0"));
          toLength = to == Ip4.parse("198.51.100.0") ? pick(24, 26) : 32;
        }
        case 2 -> {
          mark = pick(1, 2, 0);
          mask = pick(0xff, 0xffffffff, 1);
        }
        case 3 -> tos = pick(0x10, 0x08, 0x1c);
        case 4 -> iif = pick(device(), "lo");
        default -> {
          oif = device();
          fromLength = oneIn(2) ? 32 : 0;
          from = fromLength == 0 ? 0 : OUTSIDE;
        }
      }
      RouteType action =
          oneIn(3)
              ? new RouteType[] {RouteType.UNREACHABLE, RouteType.PROHIBIT, RouteType.BLACKHOLE}
                  [random.nextInt(3)]
              : RouteType.UNICAST;
      policies.add(
          new PolicyRule(
              priority,
              from,
              fromLength,
              to,
              toLength,
              mark & mask,
              mask,
              tos,
              iif,
              oif,
              action == RouteType.UNICAST ? pick(100, 100, 101, 254) : 0,
              action,
              oneIn(8)));
    }
  }

  private void drawNeighbours() {
    // One machine in five is one that nobody has asked for yet.
    int unknown = oneIn(3) ? 5 : 1000;
    for (int peer : new int[] {PEERS_OUT[0], PEERS_OUT[1]}) {
      if (!oneIn(unknown)) {
        neighbours.add(new Neighbour(peer, mac(peer), "eth0"));
      }
    }
    for (int peer : PEERS_IN) {
      if (!oneIn(unknown)) {
        neighbours.add(new Neighbour(peer, mac(peer), "eth1"));
      }
    }
    if (interfaces.size() > 2 && oneIn(2)) {
      neighbours.add(new Neighbour(PEERS_ELSEWHERE[0], mac(PEERS_ELSEWHERE[0]), "eth2"));
    }
  }

  // ---- settings and sockets
  // ----------------------------------------------------------------------

  private void drawSysctls() {
    sysctls.put("net.ipv4.ip_forward", oneIn(4) ? "0" : "1");
    sysctls.put("net.ipv4.conf.all.rp_filter", "0");
    for (Interface nic : interfaces) {
      // Answers for others are given after a random delay, unless it is none.
      sysctls.put("net.ipv4.neigh." + nic.name() + ".proxy_delay", "0");
      sysctls.put("net.ipv4.conf." + nic.name() + ".rp_filter", Integer.toString(pick(0, 0, 1, 2)));
    }
    // 2 asks whether anybody listens anywhere on the machine, in whichever namespace.
    sysctls.put("net.netfilter.nf_conntrack_events", "1");
    sysctls.put("net.netfilter.nf_conntrack_acct", oneIn(2) ? "1" : "0");
    if (oneIn(5)) {
      sysctls.put("net.netfilter.nf_conntrack_tcp_loose", "0");
    }
    if (oneIn(6)) {
      sysctls.put("net.netfilter.nf_conntrack_tcp_be_liberal", "1");
    }
    if (oneIn(8)) {
      sysctls.put("net.netfilter.nf_conntrack_checksum", "0");
    }
    if (oneIn(6)) {
      sysctls.put("net.ipv4.conf.all.accept_source_route", "1");
      sysctls.put("net.ipv4.conf.eth0.accept_source_route", "1");
    }
    if (oneIn(6)) {
      sysctls.put("net.ipv4.conf.all.send_redirects", "0");
      sysctls.put("net.ipv4.conf.eth0.send_redirects", "0");
    }
    int more = oneIn(2) ? random.nextInt(6) : 0;
    for (int i = 0; i < more; i++) {
      if (oneIn(3)) {
        put("", SETTINGS[random.nextInt(SETTINGS.length)]);
      } else {
        String whose = pick("all", "all", "default", device(), device(), "lo");
        put(
            "net.ipv4.conf." + whose + ".",
            DEVICE_SETTINGS[random.nextInt(DEVICE_SETTINGS.length)]);
      }
    }
  }

  private void put(String prefix, String[] setting) {
    sysctls.put(prefix + setting[0], setting[1 + random.nextInt(setting.length - 1)]);
  }

  private void drawSockets() {
    sockets.add(new Socket(SocketKind.UDP, 0, 53, 0, null, 0));
    sockets.add(
        new Socket(SocketKind.TCP, 0, 22, 0, null, 0, false, oneIn(6) ? 3 : 0, SocketOwner.ROOT));
    if (oneIn(2)) {
      sockets.add(new Socket(SocketKind.TCP, OUTSIDE, 80, 0, null, 0));
    }
    if (oneIn(4)) {
      sockets.add(new Socket(SocketKind.UDP, INSIDE, 5000, 0, null, 0));
    }
    if (oneIn(5)) {
      sockets.add(new Socket(SocketKind.RAW, 0, 0, pick(1, 6, 17, 47), null, 0));
    }
    if (oneIn(8)) {
      sockets.add(
          new Socket(SocketKind.UDP, pick(0, OUTSIDE), pick(53, 443), 0, pick("eth0", "eth1"), 0));
    }
    if (oneIn(12)) {
      int address = Ip4.parse(pick("203.0.113.255", "224.0.0.251", "255.255.255.255"));
      sockets.add(new Socket(SocketKind.UDP, address, 8080, 0, null, 0));
    }
    if (oneIn(12)) {
      sockets.add(
          new Socket(
              SocketKind.RAW,
              pick(OUTSIDE, INSIDE),
              0,
              pick(1, 6, 17, 132),
              oneIn(2) ? null : device(),
              0));
    }
    if (oneIn(12)) {
      sockets.add(new Socket(SocketKind.TCP, 0, 8080, 0, device(), 0));
    } else if (oneIn(6)) {
      // For TPROXY, with a route for what is not the machine's.
      sockets.add(new Socket(SocketKind.TCP, 0, 8080, 0, null, 0, true, 0, SocketOwner.ROOT));
      sockets.add(new Socket(SocketKind.UDP, 0, 5300, 0, null, 0, true, 0, SocketOwner.ROOT));
      route("0.0.0.0/0", RouteType.LOCAL, null, "lo", 102);
      policies.add(
          new PolicyRule(400, 0, 0, 0, 0, 1, 1, 0, null, null, 102, RouteType.UNICAST, false));
    }
    if (oneIn(12)) {
      sockets.add(
          new Socket(
              SocketKind.PACKET,
              0,
              0,
              pick(3, 0x0800, 0x0806, 0x86DD, 4),
              oneIn(2) ? null : device(),
              0));
    }
  }
}
