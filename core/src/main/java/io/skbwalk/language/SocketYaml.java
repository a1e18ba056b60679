// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.SocketOwner;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What listens on a host, in YAML. */
final class SocketYaml {
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

  private SocketYaml() {}

  /** The name of an IP protocol, or its number. */
  static String name(int protocol) {
    return PROTOCOLS.entrySet().stream()
        .filter(entry -> entry.getValue() == protocol)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseGet(() -> Integer.toString(protocol));
  }

  /** A socket. */
  static Socket socket(YamlValue value) {
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
    return socket;
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

  private static int protocol(YamlValue value) {
    Integer named = PROTOCOLS.get(value.text());
    return named != null ? named : (int) value.number(0, 255);
  }
}
