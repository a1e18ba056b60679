// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Accounting;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.ConntrackTimeout;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.host.HostException;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.SocketOwner;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.ipset.IpsetRestore;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A host as YAML (config/host.schema.json); keys are netplan's wherever netplan has one.
 *
 * <p>What only a whole machine can judge (an unknown sysctl, a gateway that no route reaches) is
 * found when the host is made; {@link #positionOf} says where the element in question stands.
 */
public final class HostFile {
  private static final int MAIN_TABLE = 254;
  private static final Map<String, Integer> TABLES =
      Map.of("main", MAIN_TABLE, "local", 255, "default", 253);

  private final SourcePosition start;
  private final Map<Object, SourcePosition> positions = new IdentityHashMap<>();
  private final Map<String, SourcePosition> sysctlPositions = new HashMap<>();
  private final HostDescription description;

  private HostFile(YamlValue root) {
    start = root.position();
    description = host(root);
  }

  /**
   * Reads a host.
   *
   * @param file its name, for errors
   * @throws SourceException at the first thing that is wrong
   */
  public static HostFile parse(String file, String text) {
    YamlValue root = YamlValue.parse(file, text);
    if (root == null) {
      throw new SourceException(
          new SourcePosition(file, 1, 1), "the file is empty; a host needs at least interfaces");
    }
    return new HostFile(root);
  }

  /** A host that stands inside another file. */
  public static HostFile of(YamlValue root) {
    return new HostFile(root);
  }

  /** The host. */
  public HostDescription description() {
    return description;
  }

  /** Where the sysctl {@code name} is set. */
  public SourcePosition positionOfSysctl(String name) {
    return sysctlPositions.getOrDefault(name, start);
  }

  /** Where {@code element}, a record of the description, is written. */
  public SourcePosition positionOf(Object element) {
    return positions.getOrDefault(element, start);
  }

  /** What {@link io.skbwalk.host.Host} said of this description, with the place that it means. */
  public SourceException locate(HostException refusal) {
    Object element = refusal.element();
    SourcePosition at =
        element instanceof String sysctl ? positionOfSysctl(sysctl) : positionOf(element);
    return new SourceException(at, refusal.getMessage());
  }

  private HostDescription host(YamlValue root) {
    YamlValue.Fields fields =
        root.fields(
            "a host",
            "hostname",
            "interfaces",
            "vlans",
            "routes",
            "routing-policy",
            "neighbours",
            "assume-neighbours",
            "sysctls",
            "sockets",
            "conntrack-timeouts",
            "connlabels",
            "ipsets",
            "queues",
            "security-contexts",
            "nfacct");
    List<Interface> interfaces = new ArrayList<>();
    List<Route> routes = new ArrayList<>();
    List<PolicyRule> policyRules = new ArrayList<>();
    for (Map.Entry<YamlValue, YamlValue> entry :
        fields.require("interfaces").entries().entrySet()) {
      interfaces.add(
          networkInterface(entry.getKey(), entry.getValue(), interfaces, routes, policyRules));
    }
    if (fields.get("vlans") != null) {
      for (Map.Entry<YamlValue, YamlValue> entry : fields.get("vlans").entries().entrySet()) {
        interfaces.add(vlan(entry.getKey(), entry.getValue(), interfaces, routes, policyRules));
      }
    }
    for (YamlValue value : fields.list("routes")) {
      routes.add(route(value, null));
    }
    for (YamlValue value : fields.list("routing-policy")) {
      policyRules.add(policyRule(value));
    }
    List<Neighbour> neighbours = new ArrayList<>();
    for (YamlValue value : fields.list("neighbours")) {
      neighbours.add(neighbour(value, interfaces));
    }
    Map<String, String> sysctls = new LinkedHashMap<>();
    if (fields.get("sysctls") != null) {
      for (Map.Entry<YamlValue, YamlValue> entry : fields.get("sysctls").entries().entrySet()) {
        String name = entry.getKey().text();
        sysctls.put(name, entry.getValue().text());
        sysctlPositions.put(name, entry.getKey().position());
      }
    }
    List<Socket> sockets = new ArrayList<>();
    for (YamlValue value : fields.list("sockets")) {
      sockets.add(socket(value));
    }
    return new HostDescription(
        fields.text("hostname", "host"),
        interfaces,
        routes,
        policyRules,
        neighbours,
        fields.bool("assume-neighbours", false),
        sysctls,
        sockets,
        netfilter(fields));
  }

  private HostDescription.Netfilter netfilter(YamlValue.Fields fields) {
    List<ConntrackTimeout> timeouts = new ArrayList<>();
    for (YamlValue value : fields.list("conntrack-timeouts")) {
      timeouts.add(placed(new ConntrackTimeout(value.text()), value));
    }
    Map<Integer, String> labels = new TreeMap<>();
    if (fields.get("connlabels") != null) {
      for (Map.Entry<YamlValue, YamlValue> entry : fields.get("connlabels").entries().entrySet()) {
        String name = entry.getValue().text();
        if (name.isBlank() || labels.containsValue(name)) {
          throw entry.getValue().error("each label needs a name of its own");
        }
        labels.put((int) entry.getKey().number(0, 127), name);
      }
    }
    List<Accounting> accounting = new ArrayList<>();
    for (YamlValue value : fields.list("nfacct")) {
      accounting.add(placed(new Accounting(value.text()), value));
    }
    return new HostDescription.Netfilter(
        timeouts,
        labels,
        ipsets(fields.get("ipsets")),
        queues(fields.get("queues")),
        fields.list("security-contexts").stream().map(YamlValue::text).toList(),
        accounting);
  }

  private static List<IpsetRestore> ipsets(YamlValue value) {
    if (value == null) {
      return List.of();
    }
    IpsetYaml sets = IpsetYaml.of(value);
    sets.check();
    return List.of(sets);
  }

  private <T> T placed(T element, YamlValue value) {
    positions.put(element, value.position());
    return element;
  }

  // ---- interfaces ------------------------------------------------------------------------------

  private Interface networkInterface(
      YamlValue name,
      YamlValue value,
      List<Interface> before,
      List<Route> routes,
      List<PolicyRule> policyRules) {
    YamlValue.Fields fields =
        value.fields(
            "an interface",
            "macaddress",
            "addresses",
            "mtu",
            "promiscuous",
            "ring-size",
            "routes",
            "routing-policy");
    String text = interfaceName(name, before);
    YamlValue mac = fields.get("macaddress");
    if (mac == null && !text.equals("lo")) {
      throw value.error("interface " + text + " needs a macaddress, such as \"02:00:00:00:00:01\"");
    }
    inside(fields, text, routes, policyRules);
    return placed(
        new Interface(
            text,
            mac == null ? 0 : unicast(mac),
            addresses(fields),
            (int) fields.number("mtu", 68, 65_535, text.equals("lo") ? 65_536 : 1500),
            fields.bool("promiscuous", false),
            (int) fields.number("ring-size", 1, 65_536, 256),
            null,
            0),
        name);
  }

  private Interface vlan(
      YamlValue name,
      YamlValue value,
      List<Interface> before,
      List<Route> routes,
      List<PolicyRule> policyRules) {
    YamlValue.Fields fields =
        value.fields(
            "a VLAN", "id", "link", "macaddress", "addresses", "mtu", "routes", "routing-policy");
    String text = interfaceName(name, before);
    YamlValue link = fields.require("link");
    Interface lower =
        before.stream()
            .filter(nic -> nic.name().equals(link.text()) && nic.vlanLink() == null)
            .findFirst()
            .orElseThrow(() -> link.error("no interface is called " + link.text()));
    inside(fields, text, routes, policyRules);
    YamlValue mac = fields.get("macaddress");
    return placed(
        new Interface(
            text,
            mac == null ? lower.macAddress() : unicast(mac),
            addresses(fields),
            (int) fields.number("mtu", 68, lower.mtu(), lower.mtu()),
            false,
            lower.ringSize(),
            lower.name(),
            (int) fields.require("id").number(0, 4094)),
        name);
  }

  private void inside(
      YamlValue.Fields fields, String device, List<Route> routes, List<PolicyRule> policyRules) {
    for (YamlValue route : fields.list("routes")) {
      routes.add(route(route, device));
    }
    for (YamlValue rule : fields.list("routing-policy")) {
      policyRules.add(policyRule(rule));
    }
  }

  private static String interfaceName(YamlValue name, List<Interface> before) {
    String text = name.text();
    if (text.isEmpty() || text.length() > 15 || text.matches(".*[\\s/].*") || text.equals(".")) {
      throw name.error(
          "\"" + text + "\" cannot name an interface (1 to 15 characters, no blank or /)");
    }
    if (before.stream().anyMatch(nic -> nic.name().equals(text))) {
      throw name.error("an interface called " + text + " is there already");
    }
    return text;
  }

  private static long unicast(YamlValue value) {
    long mac = value.parsed(Mac::parse);
    if (Mac.isGroup(mac) || mac == 0) {
      throw value.error(
          Mac.format(mac) + " cannot be an interface's address (it is a group's or zero)");
    }
    return mac;
  }

  private List<Address> addresses(YamlValue.Fields fields) {
    List<Address> addresses = new ArrayList<>();
    for (YamlValue value : fields.list("addresses")) {
      String text = value.text();
      int slash = text.indexOf('/');
      if (slash < 0) {
        throw value.error(
            "the address " + text + " needs its prefix length, such as " + text + "/24");
      }
      int address = parse(value, text.substring(0, slash));
      Address parsed = new Address(address, prefixLength(value, text.substring(slash + 1)));
      addresses.add(placed(parsed, value));
    }
    return addresses;
  }

  private static int parse(YamlValue value, String address) {
    try {
      return Ip4.parse(address);
    } catch (IllegalArgumentException e) {
      throw value.error(e.getMessage());
    }
  }

  private static int prefixLength(YamlValue value, String text) {
    if (text.matches("\\d{1,2}") && Integer.parseInt(text) <= 32) {
      return Integer.parseInt(text);
    }
    throw value.error("a prefix length is a number from 0 to 32, not \"" + text + "\"");
  }

  private record Prefix(int address, int length) {}

  /** A network: {@code default}, {@code 192.0.2.0/24}, or an address alone for a /32. */
  private static Prefix prefix(YamlValue value) {
    String text = value.text();
    if (text.equals("default") || text.equals("all")) {
      return new Prefix(0, 0);
    }
    int slash = text.indexOf('/');
    int address = parse(value, slash < 0 ? text : text.substring(0, slash));
    int length = slash < 0 ? 32 : prefixLength(value, text.substring(slash + 1));
    if ((address & ~Ip4.mask(length)) != 0) {
      throw value.error(
          text
              + " has bits outside its prefix; the network is "
              + Ip4.format(address & Ip4.mask(length))
              + "/"
              + length);
    }
    return new Prefix(address, length);
  }

  // ---- routes and neighbours -------------------------------------------------------------------

  private Route route(YamlValue value, String device) {
    YamlValue.Fields fields =
        value.fields(
            "a route",
            "to",
            "via",
            "type",
            "table",
            "metric",
            "from",
            "mtu",
            "on-link",
            "interface");
    Prefix to = prefix(fields.require("to"));
    YamlValue type = fields.get("type");
    RouteType routeType = type == null ? RouteType.UNICAST : routeType(type);
    YamlValue via = fields.get("via");
    String out = fields.text("interface", device);
    if (routeType == RouteType.UNICAST) {
      if (via == null && out == null) {
        throw value.error(
            "a route needs via, an interface, or a type (blackhole, unreachable, prohibit, throw)");
      }
    } else if (via != null) {
      throw via.error("a route of type " + type.text() + " leads nowhere and has no via");
    }
    return placed(
        new Route(
            to.address,
            to.length,
            routeType,
            via == null ? 0 : via.parsed(Ip4::parse),
            routeType == RouteType.UNICAST || routeType == RouteType.LOCAL ? out : null,
            table(fields, MAIN_TABLE),
            (int) fields.number("metric", 0, 0xFFFFFFFFL, 0),
            fields.get("from") == null ? 0 : fields.get("from").parsed(Ip4::parse),
            (int) fields.number("mtu", 68, 65_535, 0),
            fields.bool("on-link", false)),
        value);
  }

  private static RouteType routeType(YamlValue value) {
    return switch (value.text()) {
      case "unicast" -> RouteType.UNICAST;
      case "unreachable" -> RouteType.UNREACHABLE;
      case "prohibit" -> RouteType.PROHIBIT;
      case "blackhole" -> RouteType.BLACKHOLE;
      case "throw" -> RouteType.THROW;
      case "local" -> RouteType.LOCAL;
      default ->
          throw value.error(
              "unknown route type \""
                  + value.text()
                  + "\"; known: unicast, local, unreachable, prohibit, blackhole, throw");
    };
  }

  private static int table(YamlValue.Fields fields, int otherwise) {
    YamlValue value = fields.get("table");
    if (value == null) {
      return otherwise;
    }
    Integer named = TABLES.get(value.text());
    return named != null ? named : (int) value.number(1, 0xFFFFFFFFL);
  }

  private PolicyRule policyRule(YamlValue value) {
    YamlValue.Fields fields =
        value.fields(
            "a routing policy",
            "priority",
            "from",
            "to",
            "mark",
            "type-of-service",
            "iif",
            "oif",
            "table",
            "type",
            "not");
    Prefix all = new Prefix(0, 0);
    Prefix from = fields.get("from") == null ? all : prefix(fields.get("from"));
    Prefix to = fields.get("to") == null ? all : prefix(fields.get("to"));
    int mark = 0;
    int mask = 0;
    YamlValue marked = fields.get("mark");
    if (marked != null) {
      String[] parts = marked.text().split("/", 2);
      mark = word(marked, parts[0]);
      mask = parts.length == 2 ? word(marked, parts[1]) : -1;
    }
    YamlValue type = fields.get("type");
    if (type == null) {
      fields.require("table");
    }
    RouteType action = type == null ? RouteType.UNICAST : routeType(type);
    if (action == RouteType.THROW || action == RouteType.LOCAL) {
      throw type.error("a routing policy's type is unreachable, prohibit or blackhole");
    }
    return placed(
        new PolicyRule(
            (int) fields.require("priority").number(1, 32_765),
            from.address,
            from.length,
            to.address,
            to.length,
            mark,
            mask,
            (int) fields.number("type-of-service", 0, 255, 0),
            fields.text("iif", null),
            fields.text("oif", null),
            table(fields, 0),
            action,
            fields.bool("not", false)),
        value);
  }

  private static int word(YamlValue value, String text) {
    try {
      long number = Long.decode(text);
      if (number >= 0 && number <= 0xFFFFFFFFL) {
        return (int) number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw value.error("a mark is a 32-bit number, or value/mask, not \"" + value.text() + "\"");
  }

  private Neighbour neighbour(YamlValue value, List<Interface> interfaces) {
    YamlValue.Fields fields = value.fields("a neighbour", "address", "macaddress", "interface");
    int address = fields.require("address").parsed(Ip4::parse);
    YamlValue device = fields.get("interface");
    String name = null;
    if (device != null) {
      name = device.text();
    } else {
      for (Interface nic : interfaces) {
        for (Address own : nic.addresses()) {
          if (((own.address() ^ address) & Ip4.mask(own.prefixLength())) == 0) {
            name = nic.name();
          }
        }
      }
      if (name == null) {
        throw value.error("no interface has the network of " + Ip4.format(address) + "; name one");
      }
    }
    String wanted = name;
    if (interfaces.stream().noneMatch(nic -> nic.name().equals(wanted))) {
      throw device.error("no interface is called " + wanted);
    }
    return placed(
        new Neighbour(address, fields.require("macaddress").parsed(Mac::parse), name), value);
  }

  // ---- sockets ---------------------------------------------------------------------------------

  /** Programs on queues: {@code 0: accept}, or {@code 1: {answer: queue, to: 2, mark: 7}}. */
  private static List<HostDescription.Queue> queues(YamlValue value) {
    List<HostDescription.Queue> queues = new ArrayList<>();
    if (value == null) {
      return queues;
    }
    for (Map.Entry<YamlValue, YamlValue> entry : value.entries().entrySet()) {
      int number = (int) entry.getKey().number(0, 65_535);
      YamlValue said = entry.getValue();
      if (said.isScalar()) {
        queues.add(new HostDescription.Queue(number, verdict(said), 0, null));
        continue;
      }
      YamlValue.Fields fields = said.fields("a queue", "answer", "to", "mark");
      int verdict = verdict(fields.require("answer"));
      boolean another = verdict == Verdict.QUEUE;
      if (another != (fields.get("to") != null)) {
        throw said.error("the answer queue needs to, the number of another; the others have none");
      }
      int to = another ? (int) fields.get("to").number(0, 65_535) : 0;
      YamlValue mark = fields.get("mark");
      queues.add(
          new HostDescription.Queue(
              number, verdict, to, mark == null ? null : (int) mark.number(0, 0xFFFFFFFFL)));
    }
    return queues;
  }

  private static int verdict(YamlValue answer) {
    return switch (answer.text()) {
      case "accept" -> Verdict.ACCEPT;
      case "drop" -> Verdict.DROP;
      case "repeat" -> Verdict.REPEAT;
      case "stop" -> Verdict.STOP;
      case "queue" -> Verdict.QUEUE;
      default ->
          throw answer.error(
              "a program answers accept, drop, repeat, stop or queue, not \""
                  + answer.text()
                  + "\"");
    };
  }

  private Socket socket(YamlValue value) {
    YamlValue.Fields fields =
        value.fields(
            "a socket",
            "protocol",
            "address",
            "port",
            "interface",
            "raw",
            "packet",
            "receive-buffer",
            "transparent",
            "mark",
            "uid",
            "gid",
            "groups");
    boolean raw = fields.bool("raw", false);
    boolean packet = fields.bool("packet", false);
    if (raw && packet) {
      throw value.error("a socket is raw or packet, not both");
    }
    YamlValue address = fields.get("address");
    int local = address == null ? 0 : address.parsed(Ip4::parse);
    YamlValue port = fields.get("port");
    String device = fields.text("interface", null);
    long buffer = fields.number("receive-buffer", 0, Long.MAX_VALUE, 0);
    boolean transparent = fields.bool("transparent", false);
    if (transparent && (raw || packet)) {
      throw value.error("only sockets that listen on a port are transparent");
    }
    YamlValue mark = fields.get("mark");
    if (mark != null && (raw || packet)) {
      throw mark.error("only sockets that listen on a port have a mark");
    }
    SocketOwner owner = owner(fields);
    if (owner != null && (raw || packet)) {
      throw value.error("only sockets that listen on a port have an owner");
    }
    Socket socket;
    if (packet) {
      if (port != null || address != null) {
        throw value.error("a packet socket has no address and no port");
      }
      socket =
          new Socket(
              SocketKind.PACKET,
              0,
              0,
              (int) fields.number("protocol", 0, 65_535, 3),
              device,
              buffer);
    } else if (raw) {
      if (port != null) {
        throw port.error("a raw socket has no port");
      }
      int number = protocol(fields.require("protocol"));
      socket = new Socket(SocketKind.RAW, local, 0, number, device, buffer);
    } else {
      YamlValue protocol = fields.require("protocol");
      SocketKind kind =
          switch (protocol.text()) {
            case "tcp", "6" -> SocketKind.TCP;
            case "udp", "17" -> SocketKind.UDP;
            default ->
                throw protocol.error(
                    "sockets of protocol tcp and udp listen on ports; for \""
                        + protocol.text()
                        + "\" add raw: true");
          };
      int number = (int) fields.require("port").number(1, 65_535);
      socket =
          new Socket(
              kind,
              local,
              number,
              0,
              device,
              buffer,
              transparent,
              mark == null ? 0 : (int) mark.number(0, 0xFFFFFFFFL),
              owner == null ? SocketOwner.ROOT : owner);
    }
    return placed(socket, value);
  }

  /** The user and the groups of a program; null when nothing is said of them. */
  static SocketOwner owner(YamlValue.Fields fields) {
    YamlValue uid = fields.get("uid");
    YamlValue gid = fields.get("gid");
    List<Integer> groups = new ArrayList<>();
    for (YamlValue group : fields.list("groups")) {
      groups.add(id(group));
    }
    if (uid == null && gid == null && groups.isEmpty()) {
      return null;
    }
    return new SocketOwner(uid == null ? 0 : id(uid), gid == null ? 0 : id(gid), groups);
  }

  private static int id(YamlValue value) {
    return (int) value.number(0, 0xFFFFFFFEL);
  }

  private static final Map<String, Integer> PROTOCOLS = new HashMap<>();

  static {
    PROTOCOLS.put("icmp", 1);
    PROTOCOLS.put("igmp", 2);
    PROTOCOLS.put("tcp", 6);
    PROTOCOLS.put("udp", 17);
    PROTOCOLS.put("gre", 47);
    PROTOCOLS.put("esp", 50);
    PROTOCOLS.put("ah", 51);
    PROTOCOLS.put("ospf", 89);
    PROTOCOLS.put("sctp", 132);
    PROTOCOLS.put("udplite", 136);
    PROTOCOLS.put("raw", 255);
  }

  private static int protocol(YamlValue value) {
    Integer named = PROTOCOLS.get(value.text());
    return named != null ? named : (int) value.number(0, 255);
  }
}
