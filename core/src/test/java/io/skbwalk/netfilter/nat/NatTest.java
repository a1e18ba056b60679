// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostListener;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.SkBuffPool;
import io.skbwalk.trace.TraceEvent;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** NAT from end to end, against what the kernel did with the same frames (nat-cases.txt). */
class NatTest {
  private static final String MASQUERADE = "-A POSTROUTING -o eth0 -j MASQUERADE";

  /** The router with {@code rules}, one frame a millisecond. */
  private static final class Router implements HostListener {
    final Host host;
    final List<String> out = new ArrayList<>();
    private final List<String> dropped = new ArrayList<>();
    private boolean silent;
    private long now = 2 * Clock.SECOND;

    Router(String... rules) {
      this(new NatCase("", List.of(rules), List.of(), List.of(), List.of()));
    }

    Router(NatCase one) {
      host =
          new Host(
              NatCase.router(),
              IptablesSaveParser.parse(one.rulesText(), "rules"),
              Clock.SECOND,
              1);
      host.sysctls().set("net.ipv4.icmp_ratemask", "0");
      host.setListener(this);
    }

    @Override
    public void transmitted(NetDevice dev, SkBuff skb) {
      if (!silent) {
        byte[] frame = Arrays.copyOfRange(skb.head, skb.data, skb.tail);
        out.add(dev.name + " " + Notation.describe(frame, 14));
      }
    }

    @Override
    public void dropped(SkBuff skb, DropReason reason, String function) {
      dropped.add("dropped " + reason + " " + function);
    }

    /** What comes of a frame: what leaves, then what is dropped. */
    List<String> frame(String frame) {
      return frame(frame, null);
    }

    List<String> frame(String frame, List<TraceEvent> events) {
      out.clear();
      dropped.clear();
      now += Clock.SECOND / 1000;
      byte[] bytes = NatCase.bytes(frame);
      String device = NatCase.device(frame);
      if (device == null) {
        host.send(bytes, 0, bytes.length, now, events == null ? null : events::add);
      } else {
        host.receive(host.device(device), bytes, now, events == null ? null : events::add);
      }
      List<String> all = new ArrayList<>(out);
      all.addAll(dropped);
      return all;
    }

    /** Lets time pass. */
    void sleep(int seconds) {
      now += seconds * Clock.SECOND;
    }

    List<String> connections() {
      List<String> lines = new ArrayList<>();
      Conntrack conntrack = host.conntrack();
      for (int ct = conntrack.first(); ct != 0; ct = conntrack.next(ct)) {
        lines.add(NatCase.connection(ConntrackPrinter.list(conntrack, ct)));
      }
      lines.sort(null);
      return lines;
    }
  }

  static Stream<Arguments> cases() throws IOException {
    try (InputStream in = NatTest.class.getResourceAsStream("nat-cases.txt")) {
      return NatCase.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8)).stream()
          .map(one -> Arguments.of(one.name(), one));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void doesWhatTheKernelDid(String name, NatCase one) {
    Router router = new Router(one);
    for (int i = 0; i < one.frames().size(); i++) {
      String frame = one.frames().get(i);
      assertLike(one.results().get(i), router.frame(frame), frame);
    }
    assertLike(one.connections(), router.connections(), "connections");
  }

  /** Equal where no * stands. */
  private static void assertLike(List<String> expected, List<String> actual, String what) {
    List<String> seen = new ArrayList<>(actual);
    for (int i = 0; i < Math.min(expected.size(), seen.size()); i++) {
      String pattern = "\\Q" + expected.get(i).replace("*", "\\E\\d+\\Q") + "\\E";
      if (seen.get(i).matches(pattern)) {
        seen.set(i, expected.get(i));
      }
    }
    assertEquals(String.join("\n", expected), String.join("\n", seen), what);
  }

  @ParameterizedTest(name = "port {0} gives way to one from {1} to {2}")
  @CsvSource({"1, 1, 511", "511, 1, 511", "512, 600, 1023", "1023, 600, 1023", "1024, 1024, 65535"})
  void aPortGivesWayWithinItsClass(int port, int low, int high) {
    Router router = new Router(MASQUERADE);
    for (int client = 2; client < 6; client++) {
      String sent =
          router.frame("eth1 udp 192.168.7." + client + ":" + port + " > 198.51.100.9:53 -").get(0);
      Matcher chosen = Pattern.compile("203\\.0\\.113\\.1:(\\d+)").matcher(sent);
      assertTrue(chosen.find(), sent);
      int got = Integer.parseInt(chosen.group(1));
      assertTrue(client == 2 ? got == port : got != port && got >= low && got <= high, sent);
    }
    assertEquals(4, router.connections().size());
  }

  @Test
  void aMappingEndsWithItsConnection() {
    String[] rules = {
      "-A POSTROUTING -o eth0 -p udp -m udp --dport 80 -j SNAT --to-source 203.0.113.25",
      "-A POSTROUTING -o eth0 -p udp -j SNAT --to-source 203.0.113.10-203.0.113.30"
    };
    String other = "eth1 udp 192.168.7.2:1000 > 198.51.100.9:81 -";
    String hashed = "eth0 udp 203.0.113.21:1000 > 198.51.100.9:81 - ttl 63";
    assertEquals(List.of(hashed), new Router(rules).frame(other));

    Router router = new Router(rules);
    router.frame("eth1 udp 192.168.7.2:1000 > 198.51.100.9:80 -");
    assertEquals(
        List.of("eth0 udp 203.0.113.25:1000 > 198.51.100.9:81 - ttl 63"), router.frame(other));
    router.sleep(31);
    assertEquals(List.of(hashed), router.frame(other));
  }

  @Test
  void tellsWhatItChanges() {
    Router router =
        new Router("-A PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 192.168.7.2:80");
    List<TraceEvent> first = new ArrayList<>();
    router.frame("eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 S", first);
    assertEquals(
        List.of(
            "PRE_ROUTING bound, replies will be 192.168.7.2:80 > 198.51.100.9:40000",
            "destination 203.0.113.1:8080 -> 192.168.7.2:80",
            "POST_ROUTING null binding"),
        steps(first));
    List<TraceEvent> answer = new ArrayList<>();
    router.frame("eth1 tcp 192.168.7.2:80 > 198.51.100.9:40000 SA seq 5000 ack 1001", answer);
    assertEquals(
        List.of(
            "POST_ROUTING bound with the first packet, no rule is asked",
            "source 192.168.7.2:80 -> 203.0.113.1:8080"),
        steps(answer));
    List<TraceEvent> error = new ArrayList<>();
    router.frame(
        "eth1 icmp 192.168.7.2 > 198.51.100.9 3/1"
            + " [tcp 198.51.100.9:40000 > 192.168.7.2:80 A] quote 28",
        error);
    assertEquals(
        List.of(
            "POST_ROUTING bound with the first packet; the quoted one is translated, too",
            "quoted destination 192.168.7.2:80 -> 203.0.113.1:8080",
            "source 192.168.7.2 -> 203.0.113.1"),
        steps(error));
  }

  /** The events of NAT among {@code events}. */
  private static List<String> steps(List<TraceEvent> events) {
    List<String> texts = new ArrayList<>();
    for (TraceEvent event : events) {
      if (event instanceof TraceEvent.HookStep step && step.name().equals("nat")) {
        texts.add(step.hook() + " " + step.text());
      } else if (event instanceof TraceEvent.Changed changed && !changed.field().equals("ttl")) {
        texts.add(changed.field() + " " + changed.before() + " -> " + changed.after());
      }
    }
    return texts;
  }

  @Test
  void allocatesNothingForAPacket() {
    Router router =
        new Router(MASQUERADE, "-A PREROUTING -p udp --dport 99 -j DNAT --to 192.168.7.2:53");
    router.silent = true;
    router.frame("eth1 udp 192.168.7.2:1000 > 198.51.100.9:53 -");
    byte[][] frames = {
      NatCase.bytes("eth1 udp 192.168.7.2:1000 > 198.51.100.9:53 -"),
      NatCase.bytes("eth0 udp 198.51.100.9:53 > 203.0.113.1:1000 -"),
      NatCase.bytes(
          "eth0 icmp 198.51.100.9 > 203.0.113.1 3/3 [udp 203.0.113.1:1000 > 198.51.100.9:53 -]"),
    };
    NetDevice[] devices = {
      router.host.device("eth1"), router.host.device("eth0"), router.host.device("eth0")
    };
    var threads =
        (com.sun.management.ThreadMXBean) java.lang.management.ManagementFactory.getThreadMXBean();
    long smallest = Long.MAX_VALUE;
    for (int round = 0; round < 10; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 3000; i++) {
        router.host.receive(devices[i % 3], frames[i % 3], router.now, null);
      }
      smallest = Math.min(smallest, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertTrue(smallest < 3000, smallest + " bytes for 3000 packets");
  }

  @ParameterizedTest(name = "protocol {0}")
  @CsvSource({"1", "6", "17", "47", "89", "132", "136"})
  void aCutHeaderIsRefusedOrLeftAlone(int protocol) {
    NatProtocols protocols = new NatProtocols();
    SkBuffPool pool = new SkBuffPool();
    ConntrackTuple target = new ConntrackTuple();
    target.source = 0x01020304;
    target.destination = 0x05060708;
    target.sourcePort = 1;
    target.destinationPort = 2;
    target.protocol = protocol;
    Random random = new Random(protocol);
    for (int length = 0; length <= 80; length++) {
      for (int words = 0; words < 16; words++) {
        SkBuff skb = pool.allocate(0, 80);
        int at = skb.put(length);
        for (int i = at; i < skb.head.length; i++) {
          skb.setU8(i, random.nextInt(256));
        }
        if (length > 0) {
          skb.setU8(at, 0x40 | words);
        }
        byte[] behind = Arrays.copyOfRange(skb.head, skb.tail, skb.head.length);
        boolean done = protocols.mangle(skb, at, target, random.nextBoolean(), false);
        assertTrue(!done || length >= 20, length + " bytes");
        assertTrue(
            Arrays.equals(behind, Arrays.copyOfRange(skb.head, skb.tail, skb.head.length)),
            "nothing behind the packet changes");
        pool.consume(skb);
      }
    }
  }
}
