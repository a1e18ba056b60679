// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What can come to the hooks of one machine: by its interfaces, by the addresses that are its own,
 * and by where each table of routes leads that its policy rules choose.
 */
final class Reach {
  private static final int MAIN = 254;
  private static final int DEFAULT = 253;

  /** Targets that may give a packet a mark. */
  private static final Set<String> MARKING = Set.of("MARK", "CONNMARK", "HMARK", "SET", "TPROXY");

  private record Network(int address, int length) {
    boolean has(int other) {
      return ((address ^ other) & Ip4.mask(length)) == 0;
    }
  }

  /** {@code device}: where it leads; null when nothing leaves by it, empty when any may. */
  private record Way(Network to, int table, String device) {}

  private final List<String> devices = new ArrayList<>();
  private final List<String> forwarding = new ArrayList<>();
  private final List<Network> own = new ArrayList<>();
  private final List<Integer> addresses = new ArrayList<>();
  private final List<Way> ways = new ArrayList<>();

  /** A socket may get what is for others. */
  private final boolean transparent;

  /** The tables of routes that some packet is looked up in. */
  private final Set<Integer> tables = new TreeSet<>(Set.of(MAIN, DEFAULT));

  Reach(HostDescription machine, RuleSet rules) {
    Host host = new Host(machine, 0, 1);
    boolean marks =
        MARKING.stream().anyMatch(rules::hasTarget)
            || machine.netfilter().queues().stream().anyMatch(queue -> queue.mark() != null);
    for (HostDescription.PolicyRule rule : machine.policyRules()) {
      if (marks || rule.mark() == 0 || rule.inverted()) {
        tables.add(rule.table());
      }
    }
    List<Way> connected = new ArrayList<>();
    for (HostDescription.Interface one : machine.interfaces()) {
      devices.add(one.name());
      if (host.routing().devices().named(one.name()).forwards()) {
        forwarding.add(one.name());
      }
      for (HostDescription.Address address : one.addresses()) {
        addresses.add(address.address());
        own.add(new Network(address.address(), 32));
        own.add(new Network(address.address() | ~Ip4.mask(address.prefixLength()), 32));
        Network network = new Network(address.address(), address.prefixLength());
        connected.add(new Way(network, MAIN, one.name()));
      }
    }
    if (!devices.contains("lo")) {
      devices.add("lo");
    }
    for (String always :
        List.of("127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32", "0.0.0.0/32")) {
      int slash = always.indexOf('/');
      own.add(
          new Network(
              Ip4.parse(always.substring(0, slash)),
              Integer.parseInt(always.substring(slash + 1))));
    }
    ways.addAll(connected);
    for (HostDescription.Route route : machine.routes()) {
      Network to = new Network(route.destination(), route.prefixLength());
      if (route.type() == RouteType.LOCAL) {
        own.add(to);
      } else {
        ways.add(new Way(to, route.table(), device(route, connected)));
      }
    }
    transparent = machine.sockets().stream().anyMatch(HostDescription.Socket::transparent);
  }

  private static String device(HostDescription.Route route, List<Way> connected) {
    if (route.type() != RouteType.UNICAST) {
      return null;
    }
    if (route.device() != null) {
      return route.device();
    }
    return connected.stream()
        .filter(way -> way.to.has(route.gateway()))
        .max(Comparator.comparingInt(way -> way.to.length))
        .map(Way::device)
        .orElse("");
  }

  /** Has it an interface that a rule calls so? */
  boolean hasInterface(String pattern) {
    String stem = pattern.endsWith("+") ? pattern.substring(0, pattern.length() - 1) : null;
    return devices.stream()
        .anyMatch(one -> stem == null ? one.equals(pattern) : one.startsWith(stem));
  }

  /** Its interfaces, lo last. */
  List<String> interfaces() {
    return devices;
  }

  boolean forwardsNothing() {
    return forwarding.isEmpty();
  }

  // ---- as sets ----------------------------------------------------------------------------------

  /** What can come to a hook. */
  int at(Hook hook, PacketFields fields) {
    PacketSets sets = fields.sets;
    int set = PacketSets.ALL;
    if (hook == Hook.PRE_ROUTING || hook == Hook.LOCAL_IN) {
      set = oneOf(fields, PacketFields.IN, devices);
    }
    if (hook == Hook.LOCAL_OUT || hook == Hook.POST_ROUTING) {
      set = oneOf(fields, PacketFields.OUT, devices);
    }
    if (hook == Hook.LOCAL_IN && !transparent) {
      set = sets.and(set, own(fields));
    }
    if (hook == Hook.FORWARD) {
      set = sets.and(oneOf(fields, PacketFields.IN, forwarding), forwarded(fields));
      for (int address : addresses) {
        set = sets.minus(set, fields.is(PacketFields.DESTINATION, address));
      }
    }
    return set;
  }

  private static int oneOf(PacketFields fields, PacketFields.Field field, List<String> names) {
    int set = PacketSets.NONE;
    for (String name : names) {
      set = fields.sets.or(set, fields.interfaceHas(field, name));
    }
    return set;
  }

  private int own(PacketFields fields) {
    int set = PacketSets.NONE;
    for (Network network : own) {
      set = fields.sets.or(set, network(fields, network));
    }
    return set;
  }

  private static int network(PacketFields fields, Network network) {
    return fields.masked(PacketFields.DESTINATION, network.address, Ip4.mask(network.length));
  }

  /** Destinations and the interfaces by which some table sends them on: the longest prefix wins. */
  private int forwarded(PacketFields fields) {
    PacketSets sets = fields.sets;
    Map<Integer, Map<Network, List<Way>>> byTable = new TreeMap<>();
    ways.stream()
        .filter(way -> tables.contains(way.table))
        .sorted(Comparator.comparingInt((Way way) -> -way.to.length))
        .forEach(
            way ->
                byTable
                    .computeIfAbsent(way.table, key -> new LinkedHashMap<>())
                    .computeIfAbsent(
                        new Network(way.to.address & Ip4.mask(way.to.length), way.to.length),
                        key -> new ArrayList<>())
                    .add(way));
    int all = PacketSets.NONE;
    for (Map<Network, List<Way>> table : byTable.values()) {
      int left = PacketSets.ALL;
      for (Map.Entry<Network, List<Way>> entry : table.entrySet()) {
        int here = sets.and(left, network(fields, entry.getKey()));
        for (Way way : entry.getValue()) {
          if (way.device != null) {
            int out =
                way.device.isEmpty()
                    ? oneOf(fields, PacketFields.OUT, devices)
                    : fields.interfaceHas(PacketFields.OUT, way.device);
            all = sets.or(all, sets.and(here, out));
          }
        }
        left = sets.minus(left, network(fields, entry.getKey()));
      }
    }
    return all;
  }
}
