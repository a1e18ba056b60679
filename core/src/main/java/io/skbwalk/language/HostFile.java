// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Accounting;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.ConntrackTimeout;
import io.skbwalk.host.HostDescription.Fingerprint;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostException;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
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
            "nfacct",
            "osf-fingerprints");
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
      routes.add(placed(RouteYaml.route(value, null), value));
    }
    for (YamlValue value : fields.list("routing-policy")) {
      policyRules.add(placed(RouteYaml.policyRule(value), value));
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
      sockets.add(placed(SocketYaml.socket(value), value));
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
    List<Fingerprint> fingerprints = new ArrayList<>();
    for (YamlValue value : fields.list("osf-fingerprints")) {
      fingerprints.add(placed(new Fingerprint(value.text()), value));
    }
    return new HostDescription.Netfilter(
        timeouts,
        labels,
        ipsets(fields.get("ipsets")),
        QueueYaml.queues(fields.get("queues")),
        fields.list("security-contexts").stream().map(YamlValue::text).toList(),
        accounting,
        fingerprints);
  }

  private static List<IpsetRestore> ipsets(YamlValue value) {
    if (value == null) {
      return List.of();
    }
    if (value.isScalar()) {
      IpsetSaveFile saved = new IpsetSaveFile(value.position().file(), value.textInPlace());
      IpsetYaml.check(saved);
      return List.of(saved);
    }
    IpsetYaml sets = IpsetYaml.of(value);
    IpsetYaml.check(sets);
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
            "group",
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
            0,
            group(fields)),
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
            "a VLAN",
            "id",
            "link",
            "macaddress",
            "addresses",
            "mtu",
            "group",
            "routes",
            "routing-policy");
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
            (int) fields.require("id").number(0, 4094),
            group(fields)),
        name);
  }

  /** A number; iproute2 itself names only group 0, default. */
  private static int group(YamlValue.Fields fields) {
    YamlValue group = fields.get("group");
    return group == null || group.text().equals("default") ? 0 : (int) group.number(0, 0xFFFFFFFFL);
  }

  private void inside(
      YamlValue.Fields fields, String device, List<Route> routes, List<PolicyRule> policyRules) {
    for (YamlValue route : fields.list("routes")) {
      routes.add(placed(RouteYaml.route(route, device), route));
    }
    for (YamlValue rule : fields.list("routing-policy")) {
      policyRules.add(placed(RouteYaml.policyRule(rule), rule));
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
      Prefix prefix = Prefix.address(value);
      addresses.add(placed(new Address(prefix.address(), prefix.length()), value));
    }
    return addresses;
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
}
