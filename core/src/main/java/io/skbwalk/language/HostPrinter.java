// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.language.YamlText.Flag;
import io.skbwalk.language.YamlText.Mapping;
import io.skbwalk.language.YamlText.Node;
import io.skbwalk.language.YamlText.Scalar;
import io.skbwalk.language.YamlText.Sequence;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.ipset.IpSets;
import io.skbwalk.netfilter.ipset.IpsetPrinter;
import io.skbwalk.skb.Net;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/**
 * Prints a host as a person would write it in YAML, so that {@link HostFile} reads back the same.
 * Routes and policy rules stand by themselves, in their order, and sets of ipset as {@code ipset
 * save} prints them. VLANs must come after the other interfaces, as in a file.
 */
public final class HostPrinter {
  private static final int MAIN_TABLE = 254;
  private static final int ETH_P_ALL = 3;

  private final StringBuilder out = new StringBuilder();

  private HostPrinter() {}

  /** The whole host as text. */
  public static String print(HostDescription host) {
    HostPrinter printer = new HostPrinter();
    printer.host(host);
    return printer.out.toString();
  }

  /** One record of a description in a line: {@code route {to: default, via: 192.0.2.1}}. */
  public static String element(Object element) {
    if (element instanceof Route route) {
      return "route " + route(route).flow();
    } else if (element instanceof PolicyRule rule) {
      return "policy rule " + policyRule(rule).flow();
    } else if (element instanceof Neighbour neighbour) {
      return "neighbour " + neighbour(neighbour).flow();
    } else if (element instanceof Socket socket) {
      return "socket " + socket(socket).flow();
    } else if (element instanceof Interface nic) {
      return "interface " + nic.name();
    } else if (element instanceof Address address) {
      return "address " + prefix(address.address(), address.prefixLength());
    }
    return String.valueOf(element);
  }

  private void host(HostDescription host) {
    YamlText.value(out, "hostname", new Scalar(host.hostname()), 0);
    Map<String, Node> interfaces = new LinkedHashMap<>();
    Map<String, Node> vlans = new LinkedHashMap<>();
    for (Interface nic : host.interfaces()) {
      (nic.vlanLink() == null ? interfaces : vlans).put(nic.name(), networkInterface(nic, host));
    }
    if (interfaces.isEmpty()) {
      out.append("interfaces: {}\n");
    }
    entries("interfaces", interfaces);
    entries("vlans", vlans);
    list("routes", host.routes(), HostPrinter::route);
    list("routing-policy", host.policyRules(), HostPrinter::policyRule);
    list("neighbours", host.neighbours(), HostPrinter::neighbour);
    if (host.assumeNeighbours()) {
      YamlText.value(out, "assume-neighbours", new Flag(), 0);
    }
    Map<String, Node> sysctls = new LinkedHashMap<>();
    host.sysctls().forEach((name, value) -> sysctls.put(name, new Scalar(value)));
    entries("sysctls", sysctls);
    list("sockets", host.sockets(), HostPrinter::socket);
    netfilter(host.netfilter());
  }

  /** {@code key:} and below it an entry a line; nothing at all when there are none. */
  private void entries(String key, Map<String, Node> entries) {
    if (!entries.isEmpty()) {
      out.append(key).append(":\n");
    }
    entries.forEach(
        (name, node) -> {
          out.append("  ");
          YamlText.value(out, name, node, 2);
        });
  }

  private <T> void list(String key, List<T> items, Function<T, Node> node) {
    if (!items.isEmpty()) {
      out.append(key).append(":\n");
    }
    items.forEach(item -> YamlText.item(out, node.apply(item), 2));
  }

  // ---- interfaces -------------------------------------------------------------------------------

  private static Node networkInterface(Interface nic, HostDescription host) {
    Map<String, Node> fields = new LinkedHashMap<>();
    int usualMtu = 1500;
    if (nic.vlanLink() != null) {
      put(fields, "id", Integer.toString(nic.vlanId()));
      put(fields, "link", nic.vlanLink());
      for (Interface lower : host.interfaces()) {
        usualMtu = lower.name().equals(nic.vlanLink()) ? lower.mtu() : usualMtu;
      }
    }
    put(fields, "macaddress", Mac.format(nic.macAddress()));
    List<Node> addresses = new ArrayList<>();
    nic.addresses()
        .forEach(one -> addresses.add(new Scalar(prefix(one.address(), one.prefixLength()))));
    if (!addresses.isEmpty()) {
      fields.put("addresses", new Sequence(addresses));
    }
    if (nic.mtu() != usualMtu) {
      put(fields, "mtu", Integer.toString(nic.mtu()));
    }
    if (nic.vlanLink() == null) {
      flag(fields, "promiscuous", nic.promiscuous());
      if (nic.ringSize() != 256) {
        put(fields, "ring-size", Integer.toString(nic.ringSize()));
      }
    }
    unsigned(fields, "group", nic.group());
    return new Mapping(fields);
  }

  private static Node neighbour(Neighbour neighbour) {
    Map<String, Node> fields = new LinkedHashMap<>();
    put(fields, "address", Ip4.format(neighbour.address()));
    put(fields, "macaddress", Mac.format(neighbour.macAddress()));
    put(fields, "interface", neighbour.device());
    return new Mapping(fields);
  }

  // ---- routes -----------------------------------------------------------------------------------

  private static Node route(Route route) {
    Map<String, Node> fields = new LinkedHashMap<>();
    put(fields, "to", network(route.destination(), route.prefixLength()));
    address(fields, "via", route.gateway());
    put(fields, "interface", route.device());
    if (route.type() != RouteType.UNICAST) {
      put(fields, "type", type(route.type()));
    }
    if (route.table() != MAIN_TABLE) {
      put(fields, "table", RouteYaml.table(route.table()));
    }
    unsigned(fields, "metric", route.metric());
    address(fields, "from", route.source());
    unsigned(fields, "mtu", route.mtu());
    flag(fields, "on-link", route.onLink());
    if (route.realm() != 0) {
      int from = route.realm() >>> 16;
      put(fields, "realm", (from == 0 ? "" : from + "/") + (route.realm() & 0xFFFF));
    }
    return new Mapping(fields);
  }

  private static Node policyRule(PolicyRule rule) {
    Map<String, Node> fields = new LinkedHashMap<>();
    put(fields, "priority", Integer.toString(rule.priority()));
    flag(fields, "not", rule.inverted());
    if (rule.fromLength() != 0) {
      put(fields, "from", network(rule.from(), rule.fromLength()));
    }
    if (rule.toLength() != 0) {
      put(fields, "to", network(rule.to(), rule.toLength()));
    }
    if (rule.markMask() != 0) {
      String mask = rule.markMask() == -1 ? "" : String.format("/0x%x", rule.markMask());
      put(fields, "mark", String.format("0x%x", rule.mark()) + mask);
    }
    if (rule.tos() != 0) {
      put(fields, "type-of-service", String.format("0x%02x", rule.tos()));
    }
    put(fields, "iif", rule.iif());
    put(fields, "oif", rule.oif());
    if (rule.action() != RouteType.UNICAST) {
      put(fields, "type", type(rule.action()));
    }
    if (rule.table() != 0) {
      put(fields, "table", RouteYaml.table(rule.table()));
    }
    return new Mapping(fields);
  }

  private static String type(RouteType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private static String network(int address, int length) {
    return length == 0 ? "default" : prefix(address, length);
  }

  private static String prefix(int address, int length) {
    return Ip4.format(address) + "/" + length;
  }

  // ---- sockets ----------------------------------------------------------------------------------

  private static Node socket(Socket socket) {
    Map<String, Node> fields = new LinkedHashMap<>();
    switch (socket.kind()) {
      case TCP, UDP -> {
        put(fields, "protocol", socket.kind().name().toLowerCase(Locale.ROOT));
        address(fields, "address", socket.address());
        put(fields, "port", Integer.toString(socket.port()));
      }
      case RAW -> {
        flag(fields, "raw", true);
        put(fields, "protocol", SocketYaml.name(socket.protocol()));
        address(fields, "address", socket.address());
      }
      case PACKET -> {
        flag(fields, "packet", true);
        if (socket.protocol() != ETH_P_ALL) {
          put(fields, "protocol", String.format("0x%04x", socket.protocol()));
        }
      }
    }
    put(fields, "interface", socket.device());
    if (socket.receiveBuffer() != 0) {
      put(fields, "receive-buffer", Long.toString(socket.receiveBuffer()));
    }
    flag(fields, "transparent", socket.transparent());
    unsigned(fields, "mark", socket.mark());
    if (socket.kind() == SocketKind.TCP || socket.kind() == SocketKind.UDP) {
      owner(fields, socket.owner());
    }
    return new Mapping(fields);
  }

  private static void owner(Map<String, Node> fields, SocketOwner owner) {
    unsigned(fields, "uid", owner.uid());
    unsigned(fields, "gid", owner.gid());
    List<Node> groups = new ArrayList<>();
    owner.groups().forEach(group -> groups.add(new Scalar(Integer.toUnsignedString(group))));
    if (!groups.isEmpty()) {
      fields.put("groups", new Sequence(groups));
    }
  }

  // ---- what rules name --------------------------------------------------------------------------

  private void netfilter(HostDescription.Netfilter netfilter) {
    list("conntrack-timeouts", netfilter.timeouts(), one -> new Scalar(one.words()));
    Map<String, Node> labels = new LinkedHashMap<>();
    netfilter.labels().forEach((bit, name) -> labels.put(Integer.toString(bit), new Scalar(name)));
    entries("connlabels", labels);
    ipsets(netfilter);
    Map<String, Node> queues = new LinkedHashMap<>();
    netfilter.queues().forEach(one -> queues.put(Integer.toString(one.number()), queue(one)));
    entries("queues", queues);
    list("security-contexts", netfilter.securityContexts(), Scalar::new);
    if (netfilter.accounting() != null) {
      list("nfacct", netfilter.accounting(), one -> new Scalar(one.words()));
    }
    list("osf-fingerprints", netfilter.fingerprints(), one -> new Scalar(one.line()));
  }

  private void ipsets(HostDescription.Netfilter netfilter) {
    if (netfilter.ipsets().isEmpty()) {
      return;
    }
    IpSets sets = new IpSets(new Net(0, 0));
    netfilter.ipsets().forEach(restore -> restore.into(sets));
    out.append("ipsets: |\n");
    IpsetPrinter.save(sets).lines().forEach(line -> out.append("  ").append(line).append('\n'));
  }

  private static Node queue(HostDescription.Queue queue) {
    String answer =
        switch (queue.verdict()) {
          case Verdict.ACCEPT -> "accept";
          case Verdict.DROP -> "drop";
          case Verdict.REPEAT -> "repeat";
          case Verdict.STOP -> "stop";
          default -> "queue";
        };
    if (queue.mark() == null && queue.verdict() != Verdict.QUEUE) {
      return new Scalar(answer);
    }
    Map<String, Node> fields = new LinkedHashMap<>();
    put(fields, "answer", answer);
    if (queue.verdict() == Verdict.QUEUE) {
      put(fields, "to", Integer.toString(queue.to()));
    }
    if (queue.mark() != null) {
      put(fields, "mark", Integer.toUnsignedString(queue.mark()));
    }
    return new Mapping(fields);
  }

  // ---- fields -----------------------------------------------------------------------------------

  /** Nothing when there is no value. */
  private static void put(Map<String, Node> fields, String key, String value) {
    if (value != null) {
      fields.put(key, new Scalar(value));
    }
  }

  private static void flag(Map<String, Node> fields, String key, boolean value) {
    if (value) {
      fields.put(key, new Flag());
    }
  }

  /** 0 is what is not said. */
  private static void unsigned(Map<String, Node> fields, String key, int value) {
    if (value != 0) {
      fields.put(key, new Scalar(Integer.toUnsignedString(value)));
    }
  }

  private static void address(Map<String, Node> fields, String key, int value) {
    if (value != 0) {
      fields.put(key, new Scalar(Ip4.format(value)));
    }
  }
}
