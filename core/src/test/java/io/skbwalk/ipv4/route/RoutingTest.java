// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  /** What a listener is told of the decision for a packet that came in on eth0. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "10.0.0.1 | local | local 10.0.0.1 dev eth0 src 10.0.0.1, table local, rule 0",
        "10.1.2.3 | forward | 10.1.0.0/16 dev eth1 src 10.1.0.1, table main, rule 32766",
        "8.8.8.8 | forward | default via 10.1.0.2 dev eth1, table main, rule 32766",
        "6.6.6.6 | forward | default via 10.1.0.3 dev eth1, table 100, rule 7",
        "5.5.5.5 | unreachable | unreachable 5.0.0.0/8, table main, rule 32766",
        "255.255.255.255 | broadcast | 255.255.255.255 dev eth0",
        "127.0.0.1 | refused | 127.0.0.1 from 10.0.0.9 on eth0: IP_LOCALNET",
      })
  void tellsAListener(String destination, String result, String text) {
    Machine machine = new Machine();
    for (String line :
        List.of(
            "sysctl net.ipv4.ip_forward=1",
            "address add 10.0.0.1/24 dev eth0",
            "address add 10.1.0.1/16 dev eth1",
            "route add default via 10.1.0.2",
            "route add default via 10.1.0.3 table 100",
            "route add unreachable 5.0.0.0/8",
            "rule add to 6.6.6.6 lookup 100 priority 7")) {
      assertEquals("", machine.answer(line));
    }
    SkBuff skb = machine.host.packet(0x0A000009, Ip4.parse(destination), 17, 0, 0);
    List<TraceEvent> told = new ArrayList<>();
    skb.trace = told::add;
    machine.host.routing.input(skb, Ip4.parse(destination), 0x0A000009, 0, machine.host.devices[1]);
    assertEquals(List.of(new TraceEvent.Route("ip_rcv_finish", result, text)), told);
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
    SkBuff skb = machine.host.packet(0x0A000009, 0x08080808, 17, 0, 0);
    Flowi4 key = new Flowi4();
    var threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10_000; i++) {
        int daddr = 0x08080000 + i;
        if (machine.host.routing.input(skb, daddr, 0x0A000009, 0, machine.host.devices[1]) != null
            || machine.host.routing.output(key.reset(daddr)) == null) {
          throw new AssertionError("not routed");
        }
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(least < 1000, "20,000 decisions allocated " + least + " bytes");
  }

  private static final class Machine extends UnexpectedActions {
    final HostInWords host = new HostInWords(this);
    private String done;

    String answer(String line) {
      List<String> words = new ArrayList<>(Arrays.asList(line.split(" ")));
      return switch (words.remove(0)) {
        case "in" -> in(words);
        case "out" -> out(words);
        default -> host.run(line);
      };
    }

    private String in(List<String> words) {
      NetDevice device = host.device(words.get(0));
      int source = Ip4.parse(words.get(1));
      int destination = Ip4.parse(words.get(3));
      Map<String, String> options = HostInWords.options(words.subList(4, words.size()));
      int tos = HostInWords.number(options.get("tos"));
      int protocol = options.containsKey("proto") ? HostInWords.number(options.get("proto")) : 17;
      SkBuff skb =
          host.packet(source, destination, protocol, tos, HostInWords.number(options.get("mark")));
      skb.dev = device;
      DropReason reason = host.routing.input(skb, destination, source, tos, device);
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
          boolean all = host.routing.addressType(null, nextHop) == Ipv4Operations.RTN_BROADCAST;
          text += " dev " + rt.dev + " to " + (all ? "ff:ff:ff:ff:ff:ff" : Ip4.format(nextHop));
          if ((skb.cbFlags & Routing.IPSKB_DOREDIRECT) != 0) {
            text += " redirect " + Ip4.format(nextHop);
          }
        }
      }
      skb.dropDst();
      host.net.skbs.consume(skb);
      return text;
    }

    private String out(List<String> words) {
      Flowi4 key = new Flowi4().reset(Ip4.parse(words.get(0)));
      String asked = words.get(0);
      Map<String, String> options = HostInWords.options(words.subList(1, words.size()));
      key.saddr = HostInWords.ip(options.get("from"));
      key.mark = HostInWords.number(options.get("mark"));
      key.tos = HostInWords.number(options.get("tos"));
      key.oif = options.containsKey("oif") ? host.device(options.get("oif")).ifindex : 0;
      Rtable rt = host.routing.output(key);
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
      if (host.fib.hasCustomRules()
          && rt.route != null
          && rt.route.table != FibRoute.RT_TABLE_MAIN) {
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
  }
}
