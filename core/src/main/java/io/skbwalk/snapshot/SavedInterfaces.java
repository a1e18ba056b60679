// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Interfaces and addresses, as {@code ip -N -j -d addr} prints them. */
final class SavedInterfaces {
  private static final String LOOPBACK = "lo";
  private static final int LOOPBACK_MTU = 65_536;

  /** Drivers without a filter: they pass on what is for others, too. */
  private static final Set<String> UNFILTERED = Set.of("tun", "veth", "dummy", "ifb");

  private final List<Omission> omissions;
  private final List<Interface> cards = new ArrayList<>();
  private final List<Interface> vlans = new ArrayList<>();
  private final Set<String> unknown = new HashSet<>();
  private boolean ipv6;

  SavedInterfaces(String text, List<Omission> omissions) {
    this.omissions = omissions;
    List<IpJson> links = new ArrayList<>(IpJson.list(SavedOutput.ADDRESSES.file, text));
    links.sort(Comparator.comparingInt(link -> link.number("ifindex", 0)));
    for (IpJson link : links) {
      if (!kind(link).equals("vlan")) {
        link(link);
      }
    }
    for (IpJson link : links) {
      if (kind(link).equals("vlan")) {
        link(link);
      }
    }
    if (ipv6) {
      omissions.add(
          new Omission("IPv6", "its addresses and routes are left out; this is the path of IPv4"));
    }
  }

  /** In the order of their numbers, VLANs last. */
  List<Interface> interfaces() {
    List<Interface> all = new ArrayList<>(cards);
    all.addAll(vlans);
    return all;
  }

  /** Is {@code device} one of them, or lo? */
  boolean has(String device) {
    return device.equals(LOOPBACK)
        || interfaces().stream().anyMatch(nic -> nic.name().equals(device));
  }

  /** Is it an interface that was left out, which has been said? */
  boolean isLeftOut(String device) {
    return device != null && unknown.contains(device);
  }

  /** The addresses of {@code device}; lo's 127.0.0.1 is none of them. */
  List<Address> addresses(String device) {
    return interfaces().stream()
        .filter(nic -> nic.name().equals(device))
        .findFirst()
        .map(Interface::addresses)
        .orElse(List.of());
  }

  private static String kind(IpJson link) {
    return link.object("linkinfo").text("info_kind", "");
  }

  private void link(IpJson link) {
    String name = link.text("ifname", "");
    if (name.equals(LOOPBACK)) {
      loopback(link);
      return;
    }
    List<Address> addresses = addresses(name, link);
    String reason = reasonToLeaveOut(link);
    if (reason != null) {
      unknown.add(name);
      omissions.add(
          new Omission(
              "interface " + name, reason + "; it is left out with its addresses and routes"));
      return;
    }
    if (link.lists("flags", "NO-CARRIER")) {
      omissions.add(
          new Omission("interface " + name, "it has no carrier; here it sends all the same"));
    }
    String kind = kind(link);
    if (kind.equals("bridge")) {
      omissions.add(
          new Omission(
              "interface " + name,
              "bridges are not modelled; it is a card here, which gets what is for this machine,"
                  + " and nothing is bridged between its ports"));
    }
    boolean vlan = kind.equals("vlan");
    boolean promiscuous =
        UNFILTERED.contains(kind)
            || link.lists("flags", "PROMISC")
            || link.number("promiscuity", 0) > 0;
    IpJson vlanData = link.object("linkinfo").object("info_data");
    if (vlanData.has("ingress_qos") || vlanData.has("egress_qos")) {
      omissions.add(
          new Omission(
              "interface " + name, "its maps between priorities and tags are not modelled"));
    }
    (vlan ? vlans : cards)
        .add(
            new Interface(
                name,
                Mac.parse(link.text("address")),
                addresses,
                link.number("mtu", 1500),
                promiscuous && !vlan,
                256,
                vlan ? link.text("link") : null,
                vlan ? vlanData.number("id", 0) : 0,
                group(link)));
  }

  private int group(IpJson link) {
    String group = link.text("group", "0");
    if (group.matches("\\d+")) {
      return Integer.parseUnsignedInt(group);
    }
    if (!group.equals("default")) {
      omissions.add(
          new Omission(
              "group " + group + " of " + link.text("ifname"), "its number is not known (ip -N)"));
    }
    return 0;
  }

  private String reasonToLeaveOut(IpJson link) {
    String kind = kind(link);
    if (!Set.of("ether", "[1]").contains(link.text("link_type", ""))) {
      return "only Ethernet is modelled, and it is " + (kind.isEmpty() ? "not" : kind);
    }
    if (!link.lists("flags", "UP")) {
      return "it is down";
    }
    if (link.has("master")) {
      return "it belongs to " + link.text("master") + ", which gets its frames";
    }
    int mtu = link.number("mtu", 1500);
    if (mtu < 68 || mtu > 65_535) {
      return "its MTU " + mtu + " leaves no room for IPv4, or for Ethernet";
    }
    long mac = Mac.parse(link.text("address", "00:00:00:00:00:00"));
    if (mac == 0 || Mac.isGroup(mac)) {
      return "it has no Ethernet address of its own";
    }
    if (kind.equals("vlan")) {
      String lower = link.text("link", "");
      String protocol = link.object("linkinfo").object("info_data").text("protocol", "802.1Q");
      if (!protocol.equalsIgnoreCase("802.1Q")) {
        return "VLANs of " + protocol + " are not modelled";
      }
      if (cards.stream().noneMatch(card -> card.name().equals(lower))) {
        return "it lies on " + lower + ", which is none of the cards here";
      }
    }
    return null;
  }

  private void loopback(IpJson link) {
    if (!link.lists("flags", "UP")) {
      omissions.add(new Omission("interface lo", "it is down; here it is up"));
    }
    if (link.number("mtu", LOOPBACK_MTU) != LOOPBACK_MTU) {
      omissions.add(new Omission("interface lo", "its MTU is 65536 here"));
    }
    // Addresses of lo are routes of type local, which stand among the routes.
    ipv6 |= hasIpv6(link);
  }

  private static boolean hasIpv6(IpJson link) {
    return link.objects("addr_info").stream()
        .anyMatch(
            one ->
                one.text("family", "").equals("inet6")
                    && !one.text("local", "").startsWith("fe80:")
                    && !one.text("local", "").equals("::1"));
  }

  private List<Address> addresses(String name, IpJson link) {
    ipv6 |= hasIpv6(link);
    List<Address> addresses = new ArrayList<>();
    for (IpJson one : link.objects("addr_info")) {
      if (!one.text("family", "").equals("inet") || !one.has("local")) {
        continue;
      }
      String local = one.text("local");
      int length = one.number("prefixlen", 32);
      String what = "address " + local + "/" + length + " of " + name;
      if (one.has("address") && !one.text("address").equals(local)) {
        omissions.add(
            new Omission(
                what,
                "it leads to one peer, "
                    + one.text("address")
                    + ", which is not modelled; the route to it is taken, as one of its own"));
        length = 32;
      }
      int address = Ip4.parse(local);
      int broadcast = address | ~Ip4.mask(length);
      if (length < 31 && one.has("broadcast") && Ip4.parse(one.text("broadcast")) != broadcast) {
        omissions.add(
            new Omission(
                what,
                "its broadcast address is "
                    + one.text("broadcast")
                    + "; here it is that of its network, "
                    + Ip4.format(broadcast)));
      }
      addresses.add(new Address(address, length));
    }
    return addresses;
  }
}
