// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** routing.txt: hosts and packets, with what the kernel did, against {@link Routing}. */
class RoutingTest {
  private static List<String> lines() throws IOException {
    try (InputStream in = RoutingTest.class.getResourceAsStream("routing.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  @TestFactory
  Stream<DynamicTest> asLinuxDid() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    Machine machine = null;
    String host = "";
    for (String line : lines()) {
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (line.startsWith("==")) {
        machine = new Machine();
        host = line.substring(3);
        continue;
      }
      int arrow = line.indexOf("=>");
      String question = arrow < 0 ? line : line.substring(0, arrow).trim();
      String expected = arrow < 0 ? "" : line.substring(arrow + 2).trim();
      // Settings change between the questions, so the answer is fetched here and judged later.
      String actual = machine.answer(question);
      tests.add(
          DynamicTest.dynamicTest(host + ": " + question, () -> assertEquals(expected, actual)));
    }
    assertTrue(tests.size() > 200);
    return tests.stream();
  }

  /** A routing decision allocates nothing once its route has been used. */
  @Test
  void decidesWithoutAllocating() {
    Machine machine = new Machine();
    for (String line :
        List.of(
            "sysctl net.ipv4.ip_forward=1",
            "sysctl net.ipv4.conf.all.rp_filter=1",
            "address add 10.0.0.1/24 dev eth0",
            "address add 10.1.0.1/16 dev eth1",
            "route add default via 10.1.0.2",
            "rule add fwmark 5 lookup 100")) {
      assertEquals("", machine.answer(line));
    }
    SkBuff skb = machine.packet(0x0A000009, 0x08080808, 17, 0, 0);
    Flowi4 key = new Flowi4();
    var threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10_000; i++) {
        int daddr = 0x08080000 + i;
        if (machine.routing.input(skb, daddr, 0x0A000009, 0, machine.devices[1]) != null
            || machine.routing.output(key.reset(daddr)) == null) {
          throw new AssertionError("not routed");
        }
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < 1000, "20,000 decisions allocated " + least + " bytes");
  }

  /** Loopback, eth0, eth1 and eth2, told what to do in the words of ip(8) and sysctl(8). */
  private static final class Machine implements RouteActions {
    final Net net = new Net(0, 1);
    final InDevices inDevices = new InDevices(net);
    final Fib fib = new Fib(inDevices);
    final NetDevice[] devices = new NetDevice[4];
    final Routing routing;

    Machine() {
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
      routing = new Routing(net, inDevices, fib, devices[0], this);
    }

    String answer(String line) {
      List<String> words = new ArrayList<>(Arrays.asList(line.split(" ")));
      String verb = words.remove(0);
      try {
        switch (verb) {
          case "sysctl" -> net.sysctls.set(line.split("[ =]")[1], line.split("=")[1]);
          case "address" -> address(words);
          case "route" -> route(words);
          case "rule" -> rule(words);
          case "in" -> {
            return in(words);
          }
          case "out" -> {
            return out(words);
          }
          default -> throw new AssertionError(line);
        }
        return "";
      } catch (IllegalArgumentException e) {
        return "refused";
      }
    }

    private NetDevice device(String name) {
      return name == null ? null : inDevices.named(name).dev;
    }

    private static Map<String, String> options(List<String> words) {
      Map<String, String> options = new HashMap<>();
      for (int i = 0; i + 1 < words.size(); i += 2) {
        options.put(words.get(i), words.get(i + 1));
      }
      return options;
    }

    private static int number(String text) {
      return text == null ? 0 : Integer.decode(text);
    }

    private static int ip(String text) {
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
      if ("link".equals(options.get("scope"))) {
        fib.addAddress(device, prefix[0], prefix[1], broadcast, FibRoute.RT_SCOPE_LINK);
      } else {
        fib.addAddress(device, prefix[0], prefix[1], broadcast);
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

    SkBuff packet(int source, int destination, int protocol, int tos, int mark) {
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

    private String in(List<String> words) {
      NetDevice device = device(words.get(0));
      int source = Ip4.parse(words.get(1));
      int destination = Ip4.parse(words.get(3));
      Map<String, String> options = options(words.subList(4, words.size()));
      int tos = number(options.get("tos"));
      int protocol = options.containsKey("proto") ? number(options.get("proto")) : 17;
      SkBuff skb = packet(source, destination, protocol, tos, number(options.get("mark")));
      skb.dev = device;
      DropReason reason = routing.input(skb, destination, source, tos, device);
      String text;
      if (reason != null) {
        text = "drop " + reason;
      } else {
        Rtable rt = Rtable.of(skb);
        done = null;
        rt.input(skb);
        text = done;
        if (done.equals("error")) {
          text += " " + rt.error;
        } else if (done.equals("forward")) {
          int nextHop = rt.nextHop(destination);
          boolean all = routing.addressType(null, nextHop) == Ipv4Operations.RTN_BROADCAST;
          text += " dev " + rt.dev + " to " + (all ? "ff:ff:ff:ff:ff:ff" : Ip4.format(nextHop));
          if ((skb.cbFlags & Routing.IPSKB_DOREDIRECT) != 0) {
            text += " redirect " + Ip4.format(nextHop);
          }
        }
      }
      skb.dropDst();
      net.skbs.consume(skb);
      return text;
    }

    private String out(List<String> words) {
      Flowi4 key = new Flowi4().reset(Ip4.parse(words.get(0)));
      String asked = words.get(0);
      Map<String, String> options = options(words.subList(1, words.size()));
      key.saddr = ip(options.get("from"));
      key.mark = number(options.get("mark"));
      key.tos = number(options.get("tos"));
      key.oif = options.containsKey("oif") ? device(options.get("oif")).ifindex : 0;
      Rtable rt = routing.output(key);
      if (rt == null) {
        return switch (key.error) {
          case Rtable.ENETUNREACH -> "error Network is unreachable";
          case Rtable.EHOSTUNREACH -> "error No route to host";
          case Rtable.EACCES -> "error Permission denied";
          case Rtable.EINVAL -> "error Invalid argument";
          default -> "error " + key.error;
        };
      }
      StringBuilder text = new StringBuilder();
      if (rt.type != Ipv4Operations.RTN_UNICAST) {
        text.append(FibRoute.typeName(rt.type)).append(' ');
      }
      text.append(asked);
      if (options.containsKey("from")) {
        text.append(" from ").append(options.get("from"));
      }
      if (options.containsKey("tos") && rt.route != null && rt.route.tos != 0) {
        text.append(" tos ").append(options.get("tos"));
      }
      if (rt.gateway != 0) {
        text.append(" via ").append(Ip4.format(rt.gateway));
      }
      text.append(" dev ").append(rt.dev);
      if (fib.hasCustomRules() && rt.route != null && rt.route.table != FibRoute.RT_TABLE_MAIN) {
        text.append(" table ").append(FibRoute.tableName(rt.route.table));
      }
      if (!options.containsKey("from")) {
        text.append(" src ").append(Ip4.format(key.saddr));
      }
      if (key.mark != 0) {
        text.append(" mark ").append(key.mark);
      }
      return text.toString();
    }

    private String done;

    @Override
    public void localDeliver(SkBuff skb) {
      done = "deliver";
    }

    @Override
    public void forward(SkBuff skb) {
      done = "forward";
    }

    @Override
    public void error(SkBuff skb) {
      done = "error";
    }

    @Override
    public void output(SkBuff skb) {
      throw new AssertionError("output");
    }

    @Override
    public void multicastOutput(SkBuff skb) {
      throw new AssertionError("multicastOutput");
    }

    @Override
    public void routeBug(SkBuff skb) {
      throw new AssertionError("routeBug");
    }

    @Override
    public void discard(SkBuff skb) {
      throw new AssertionError("discard");
    }
  }
}
