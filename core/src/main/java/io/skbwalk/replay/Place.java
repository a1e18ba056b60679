// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The places of the familiar picture of Netfilter, in the order of the path, and the ways between
 * them.
 */
enum Place {
  IN("driver", false, "nic", "hard irq", "softirq", "ip_rcv"),
  ARP("ARP", false, "neighbours"),
  PRE_ROUTING("PREROUTING", true, "defrag", "raw", "conntrack", "mangle", "nat"),
  ROUTE("routing", false, "decision"),
  LOCAL_IN("INPUT", true, "mangle", "filter", "security", "nat", "confirm"),
  LOCAL("this machine", false, "sockets", "icmp, resets"),
  ROUTE_OUT("routing", false, "decision"),
  LOCAL_OUT("OUTPUT", true, "defrag", "raw", "conntrack", "mangle", "nat", "filter", "security"),
  FORWARD("FORWARD", true, "mangle", "filter", "security"),
  POST_ROUTING("POSTROUTING", true, "mangle", "nat", "confirm"),
  OUT("driver", false, "neighbour", "transmit");

  /** A way from one place to the next. */
  record Way(Place from, Place to) {}

  static final List<Way> WAYS =
      List.of(
          new Way(IN, PRE_ROUTING),
          new Way(IN, ARP),
          new Way(ARP, OUT),
          new Way(PRE_ROUTING, ROUTE),
          new Way(ROUTE, LOCAL_IN),
          new Way(LOCAL_IN, LOCAL),
          new Way(ROUTE, FORWARD),
          new Way(FORWARD, POST_ROUTING),
          new Way(LOCAL, ROUTE_OUT),
          new Way(ROUTE_OUT, LOCAL_OUT),
          new Way(LOCAL_OUT, POST_ROUTING),
          new Way(POST_ROUTING, OUT));

  /** What is written over it: of a hook its built-in chain. */
  final String title;

  /** A hook of Netfilter. */
  final boolean hook;

  /** Its parts in the order in which a packet meets them. */
  final List<String> rows;

  Place(String title, boolean hook, String... rows) {
    this.title = title;
    this.hook = hook;
    this.rows = List.of(rows);
  }

  /** The place and part in which a function of the kernel works; null where it does not matter. */
  static Part of(String function) {
    return switch (function) {
      case "ip_rcv", "ip_rcv_options" -> new Part(IN, "ip_rcv");
      case "vlan_do_receive", "__netif_receive_skb_core" -> new Part(IN, "softirq");
      case "ip_rcv_finish", "ip_forward", "ip_defrag" -> new Part(ROUTE, "decision");
      case "ip_finish_output2", "ip_do_fragment", "neigh_resolve_output" ->
          new Part(OUT, "neighbour");
      case "packet_snd", "loopback_xmit" -> new Part(OUT, "transmit");
      case "icmp_rcv" -> new Part(LOCAL, "icmp, resets");
      case "ip_route_output_flow", "ip_route_me_harder", "__ip_local_out" ->
          new Part(ROUTE_OUT, "decision");
      default -> function.startsWith("arp") ? new Part(ARP, "neighbours") : null;
    };
  }

  /** A part of a place. */
  record Part(Place place, String row) {}

  /** The fewest ways from here to {@code to}; none where no way leads there. */
  List<Way> waysTo(Place to) {
    Map<Place, Way> before = new EnumMap<>(Place.class);
    Deque<Place> queue = new ArrayDeque<>(List.of(this));
    while (!queue.isEmpty() && !before.containsKey(to)) {
      Place here = queue.poll();
      for (Way way : WAYS) {
        if (way.from == here && way.to != this && before.putIfAbsent(way.to, way) == null) {
          queue.add(way.to);
        }
      }
    }
    List<Way> ways = new ArrayList<>();
    for (Way way = before.get(to); way != null; way = before.get(way.from)) {
      ways.add(0, way);
    }
    return ways;
  }
}
