// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Loopback, eth0, eth1 and eth2, told what to do in the words of ip(8) and sysctl(8). */
public final class HostInWords {
  public final Net net = new Net(0, 1);
  public final InDevices inDevices = new InDevices(net);
  public final Fib fib = new Fib(inDevices);
  public final NetDevice[] devices = new NetDevice[4];
  public final Routing routing;

  public HostInWords(RouteActions actions) {
    int up = NetDevice.IFF_UP | NetDevice.IFF_MULTICAST;
    devices[0] = new NetDevice("lo", 1, 0, 65536, NetDevice.IFF_UP | NetDevice.IFF_LOOPBACK);
    for (int i = 1; i < 4; i++) {
      devices[i] =
          new NetDevice(
              "eth" + (i - 1),
              i + 1,
              0x020000000001L | (i - 1) << 8,
              1500,
              up | NetDevice.IFF_BROADCAST);
    }
    for (NetDevice device : devices) {
      inDevices.add(device);
    }
    fib.addAddress(devices[0], 0x7F000001, 8, 0);
    routing = new Routing(net, inDevices, fib, devices[0], actions);
  }

  /** Does what {@code line} says; "refused" when it cannot be. */
  public String run(String line) {
    List<String> words = new ArrayList<>(Arrays.asList(line.split(" ")));
    String verb = words.remove(0);
    try {
      switch (verb) {
        case "sysctl" -> net.sysctls.set(line.split("[ =]")[1], line.split("=")[1]);
        case "address" -> address(words);
        case "route" -> route(words);
        case "rule" -> rule(words);
        default -> throw new AssertionError(line);
      }
      return "";
    } catch (IllegalArgumentException e) {
      return "refused";
    }
  }

  public NetDevice device(String name) {
    return name == null ? null : inDevices.named(name).dev;
  }

  static Map<String, String> options(List<String> words) {
    Map<String, String> options = new HashMap<>();
    for (int i = 0; i + 1 < words.size(); i += 2) {
      options.put(words.get(i), words.get(i + 1));
    }
    return options;
  }

  static int number(String text) {
    return text == null ? 0 : Integer.decode(text);
  }

  static int ip(String text) {
    return text == null ? 0 : Ip4.parse(text);
  }

  /** Network and length of {@code 10.0.0.0/8}, {@code 10.0.0.1} or {@code default}. */
  private static int[] prefix(String text) {
    if (text == null || text.equals("default")) {
      return new int[2];
    }
    String[] parts = text.split("/");
    return new int[] {Ip4.parse(parts[0]), parts.length > 1 ? Integer.parseInt(parts[1]) : 32};
  }

  private void address(List<String> words) {
    int[] prefix = prefix(words.get(1));
    Map<String, String> options = options(words.subList(2, words.size()));
    NetDevice device = device(options.get("dev"));
    int broadcast = ip(options.get("broadcast"));
    switch (options.getOrDefault("scope", "")) {
      case "link" ->
          fib.addAddress(device, prefix[0], prefix[1], broadcast, FibRoute.RT_SCOPE_LINK);
      case "host" ->
          fib.addAddress(device, prefix[0], prefix[1], broadcast, FibRoute.RT_SCOPE_HOST);
      default -> fib.addAddress(device, prefix[0], prefix[1], broadcast);
    }
  }

  private static int type(String word) {
    for (int type = 1; type <= Ipv4Operations.RTN_THROW; type++) {
      if (FibRoute.typeName(type).equals(word)) {
        return type;
      }
    }
    return 0;
  }

  private void route(List<String> words) {
    words.remove("add");
    boolean onLink = words.remove("onlink");
    int type = type(words.get(0));
    if (type == 0) {
      type = Ipv4Operations.RTN_UNICAST;
    } else {
      words.remove(0);
    }
    int[] prefix = prefix(words.remove(0));
    Map<String, String> options = options(words);
    if ("0.0.0.0".equals(options.get("via"))) {
      throw new IllegalArgumentException("no gateway");
    }
    fib.addRoute(
        new FibConfig(
            prefix[0],
            prefix[1],
            type,
            ip(options.get("via")),
            device(options.get("dev")),
            table(options.get("table"), type),
            number(options.get("metric")),
            ip(options.get("src")),
            0,
            number(options.get("tos")),
            onLink));
  }

  /** Where ip-route(8) puts a route when nothing is said: local routes into table local. */
  private static int table(String name, int type) {
    if (name == null) {
      return type == Ipv4Operations.RTN_LOCAL ? FibRoute.RT_TABLE_LOCAL : FibRoute.RT_TABLE_MAIN;
    }
    return name.equals("local") ? FibRoute.RT_TABLE_LOCAL : Integer.parseInt(name);
  }

  private void rule(List<String> words) {
    words.remove("add");
    boolean inverted = words.remove("not");
    int action = Ipv4Operations.RTN_UNICAST;
    for (String word : List.of("prohibit", "unreachable", "blackhole")) {
      if (words.remove(word)) {
        action = type(word);
      }
    }
    Map<String, String> options = options(words);
    int[] from = prefix(options.get("from"));
    int[] to = prefix(options.get("to"));
    String[] mark = options.getOrDefault("fwmark", "0/0").split("/");
    String iif = options.get("iif");
    String oif = options.get("oif");
    fib.addRule(
        new FibRule(
            options.containsKey("priority") ? number(options.get("priority")) : 32765,
            from[0],
            from[1],
            to[0],
            to[1],
            number(mark[0]),
            mark.length > 1 ? number(mark[1]) : -1,
            number(options.get("tos")),
            iif == null ? 0 : device(iif).ifindex,
            oif == null ? 0 : device(oif).ifindex,
            action,
            number(options.get("lookup")),
            inverted));
  }

  public SkBuff packet(int source, int destination, int protocol, int tos, int mark) {
    SkBuff skb = net.skbs.allocate(64, 64);
    skb.networkHeader = skb.put(20);
    skb.setU8(skb.networkHeader, 0x45);
    skb.setU8(skb.networkHeader + IpHeader.TOS_OFFSET, tos);
    skb.setU8(skb.networkHeader + IpHeader.PROTOCOL_OFFSET, protocol);
    skb.setU32(skb.networkHeader + IpHeader.SOURCE_OFFSET, source);
    skb.setU32(skb.networkHeader + IpHeader.DESTINATION_OFFSET, destination);
    skb.protocol = EthernetHeader.ETH_P_IP;
    skb.mark = mark;
    return skb;
  }
}
