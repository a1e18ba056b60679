// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One case of nat-cases.txt.
 *
 * @param name for people
 * @param rules lines of iptables-save, the nat table's unless {@code TABLE: } stands before them
 * @param frames what comes in, {@code IFACE packet}, or is sent by the machine, {@code out packet}
 * @param results what came of each frame, {@code IFACE packet} or {@code dropped REASON}
 * @param connections what the table holds at the end
 */
record NatCase(
    String name,
    List<String> rules,
    List<String> frames,
    List<List<String>> results,
    List<String> connections) {

  static final long MAC0 = 0x020000000001L;
  static final long MAC1 = 0x020000000101L;
  static final long GATEWAY = 0x0200000000FEL;
  static final long CLIENT = 0x020000000102L;

  /** Reads the cases of {@code text}. */
  static List<NatCase> parse(String text) {
    List<NatCase> cases = new ArrayList<>();
    NatCase now = null;
    boolean end = false;
    for (String line : text.split("\n")) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (line.startsWith("== ")) {
        now =
            new NatCase(
                line.substring(3),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>(),
                new ArrayList<>());
        cases.add(now);
        end = false;
      } else if (line.startsWith("  ")) {
        (end ? now.connections : now.results.get(now.results.size() - 1)).add(line.trim());
      } else if (line.contains("-A ")) {
        now.rules.add(line);
      } else if (line.equals("connections")) {
        end = true;
      } else {
        now.frames.add(line);
        now.results.add(new ArrayList<>());
      }
    }
    return cases;
  }

  /** The rules as iptables-restore reads them. */
  String rulesText() {
    Map<String, StringBuilder> tables = new LinkedHashMap<>();
    tables.put("nat", new StringBuilder());
    for (String rule : rules) {
      boolean other = !rule.startsWith("-");
      String table = other ? rule.substring(0, rule.indexOf(':')) : "nat";
      tables
          .computeIfAbsent(table, name -> new StringBuilder())
          .append(other ? rule.substring(rule.indexOf(':') + 2) : rule)
          .append('\n');
    }
    StringBuilder text = new StringBuilder();
    tables.forEach((name, lines) -> text.append("*" + name + "\n" + lines + "COMMIT\n"));
    return text.toString();
  }

  /** The interface of a line of {@link #frames}, null when the machine sends it. */
  static String device(String frame) {
    String word = frame.substring(0, frame.indexOf(' '));
    return word.equals("out") ? null : word;
  }

  /** The bytes of a line of {@link #frames}: a frame, or a packet when the machine sends it. */
  static byte[] bytes(String frame) {
    String device = device(frame);
    String packet = frame.substring(frame.indexOf(' ') + 1);
    if (device == null) {
      return Notation.parse(packet, 0, 0).packet();
    }
    boolean outside = device.equals("eth0");
    return Notation.parse(packet, outside ? MAC0 : MAC1, outside ? GATEWAY : CLIENT).frame();
  }

  /** The router of these cases; what has TOS 16 leaves on eth1. */
  static HostDescription router() {
    List<Neighbour> neighbours = new ArrayList<>();
    neighbours.add(new Neighbour(Ip4.parse("203.0.113.254"), GATEWAY, "eth0"));
    for (int host = 2; host < 6; host++) {
      neighbours.add(new Neighbour(Ip4.parse("192.168.7." + host), CLIENT, "eth1"));
    }
    Map<String, String> sysctls = new LinkedHashMap<>();
    sysctls.put("net.ipv4.ip_forward", "1");
    sysctls.put("net.ipv4.conf.all.rp_filter", "0");
    sysctls.put("net.ipv4.conf.default.rp_filter", "0");
    for (String nic : List.of("eth0", "eth1")) {
      sysctls.put("net.ipv4.conf." + nic + ".rp_filter", "0");
      sysctls.put("net.ipv4.conf." + nic + ".send_redirects", "0");
    }
    return new HostDescription(
        "router",
        List.of(nic("eth0", MAC0, "203.0.113.1", "203.0.113.2"), nic("eth1", MAC1, "192.168.7.1")),
        List.of(defaultVia("203.0.113.254", 254), defaultVia("192.168.7.5", 100)),
        List.of(
            new PolicyRule(100, 0, 0, 0, 0, 0, 0, 16, null, null, 100, RouteType.UNICAST, false)),
        neighbours,
        false,
        sysctls,
        List.of(
            new Socket(SocketKind.UDP, 0, 53, 0, null, 0),
            new Socket(SocketKind.TCP, 0, 22, 0, null, 0)));
  }

  private static Route defaultVia(String gateway, int table) {
    return new Route(0, 0, RouteType.UNICAST, Ip4.parse(gateway), null, table, 0, 0, 0, false);
  }

  private static Interface nic(String name, long mac, String... addresses) {
    List<Address> list = new ArrayList<>();
    for (String address : addresses) {
      list.add(new Address(Ip4.parse(address), 24));
    }
    return new Interface(name, mac, list, 1500, false, 256, null, 0);
  }

  /** A line of conntrack -L without what differs from run to run. */
  static String connection(String line) {
    return line.replaceFirst("^(\\S+ +\\d+) \\d+", "$1")
        .replaceAll(" (use|mark)=\\d+", "")
        .replaceAll(" +", " ")
        .trim();
  }
}
