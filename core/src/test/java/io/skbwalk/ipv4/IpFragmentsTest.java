// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reassembly and what becomes of it, each case as Linux 6.18 showed it. */
class IpFragmentsTest {
  private static byte[] part(int id, int offset, int length, boolean more, int tos) {
    return ip().id(id).tos(tos).fragment(offset, more, false).payload(Packets.fill(length)).bytes();
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        // offset:length[+], fragments in their order; what each drops; queues and memory at the end
        "0:16+                    | -                                        | 1 | 904",
        "0:16+ 0:16+              | -, DUP_FRAG ip_defrag                    | 1 | 904",
        "0:16+ 8:16+              | -, NOT_SPECIFIED ip_defrag               | 0 | 0",
        "0:16+ 32:16+ 16:16+      | -, -, -                                  | 1 | 2312",
        "0:16+ 32:16+ 16:16+ 8:16+| -, -, -, NOT_SPECIFIED ip_defrag         | 0 | 0",
        "0:1400+ 1400:3000+       | -, -                                     | 1 | 6024",
        "0:1400+ 1400:0           | -, NOT_SPECIFIED ip_defrag               | 0 | 0",
        "16:16 32:16+             | -, NOT_SPECIFIED ip_defrag               | 0 | 0",
        "16:16 16:8               | -, NOT_SPECIFIED ip_defrag               | 0 | 0",
        "16:16 0:16+              | -, NO_SOCKET __udp4_lib_rcv              | 0 | 0",
        "0:16+ 16:20+ 32:8        | -, -, NO_SOCKET __udp4_lib_rcv           | 0 | 0",
      })
  void fragments(String sequence, String drops, int queues, long memory) {
    Router router = new Router();
    List<String> seen = new ArrayList<>();
    for (String one : sequence.split(" ")) {
      String[] numbers = one.replace("+", "").split(":");
      router.receive(
          part(
              7, Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]), one.endsWith("+"), 0));
      seen.add(router.dropped.isEmpty() ? "-" : String.join("; ", router.dropped));
    }
    assertEquals(Arrays.asList(drops.split(", ")), seen);
    assertEquals(queues, router.inet.fragments().inUse());
    assertEquals(memory, router.inet.fragments().memory());
  }

  @ParameterizedTest(name = "{0} fragments, arriving {1}")
  @CsvSource({"3, in order", "3, backwards", "30, in order", "30, backwards", "44, odd first"})
  void aWholePacketIsDelivered(int count, String order) {
    Router router = new Router();
    byte[] udp = Packets.udp(count * 1480 - 8);
    List<Integer> numbers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      numbers.add(i);
    }
    switch (order) {
      case "backwards" -> java.util.Collections.reverse(numbers);
      case "odd first" -> numbers.sort((a, b) -> (b & 1) - (a & 1));
      default -> {}
    }
    for (int n : numbers) {
      byte[] payload = Arrays.copyOfRange(udp, n * 1480, (n + 1) * 1480);
      router.receive(ip().fragment(n * 1480, n < count - 1, false).payload(payload).bytes());
    }
    assertEquals(List.of("NO_SOCKET __udp4_lib_rcv"), router.dropped);
    assertEquals(1, router.delivered.size());
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0 len 576 icmp 3/3 00000000 +548"),
        router.sent);
    assertEquals(20 + count * 1480, Packets.get16(router.frames.get(0), 28 + 2));
    assertEquals(0, router.net.skbs.outstanding());
  }

  @Test
  void anOversizedPacketVanishesSilently() {
    Router router = new Router();
    for (int offset = 0; offset < 65000; offset += 1480) {
      router.receive(part(7, offset, 1480, true, 0));
    }
    router.receive(part(7, 45 * 1480 - 1480, 65535 - 44 * 1480, false, 0));
    assertEquals(List.of(), router.dropped);
    assertEquals(0, router.inet.fragments().inUse());
    assertEquals(0, router.net.skbs.outstanding());
  }

  @ParameterizedTest(name = "{0} and {1}")
  @CsvSource({
    "0, 3, false",
    "2, 3, true",
    "1, 3, true",
    "1, 2, true",
    "0, 2, false",
    "0, 1, false"
  })
  void congestionMarksMustFit(int one, int other, boolean whole) {
    Router router = new Router();
    router.receive(part(7, 0, 16, true, one));
    router.receive(part(7, 16, 16, false, other));
    assertEquals(whole ? 1 : 0, router.delivered.size());
    assertEquals(whole ? List.of("NO_SOCKET __udp4_lib_rcv") : List.of(), router.dropped);
  }

  @Test
  void fragmentsTooFarApartBeginAnew() {
    Router router = new Router().sysctl("net.ipv4.ipfrag_max_dist", 3);
    router.receive(part(16, 0, 16, true, 0));
    for (int i = 0; i < 4; i++) {
      router.receive(part(100 + i, 0, 16, true, 0));
    }
    router.receive(part(16, 16, 16, true, 0));
    assertEquals(List.of("FRAG_TOO_FAR inet_frag_rbtree_purge"), router.dropped);
    assertEquals(5, router.inet.fragments().inUse());
    assertEquals(5 * 904, router.inet.fragments().memory());
  }

  @Test
  void tooMuchMemoryRefusesEvenTheMissingOnes() {
    Router router = new Router().sysctl("net.ipv4.ipfrag_high_thresh", 2000);
    router.receive(part(1, 0, 16, true, 0));
    router.receive(part(2, 0, 16, true, 0));
    router.receive(part(3, 0, 16, true, 0));
    router.receive(part(1, 16, 16, false, 0));
    assertEquals(List.of("NOT_SPECIFIED ip_defrag"), router.dropped);
  }

  @Test
  void whatIsNotCompletedInTimeIsToldWhenTheFirstIsThere() {
    Router router = new Router();
    router.receive(part(20, 0, 16, true, 0));
    router.receive(part(20, 32, 16, true, 0));
    router.receive(part(21, 16, 16, true, 0));
    router.net.timers.advanceTo(router.net.clock.now() + 31 * Clock.SECOND);
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0 len 64 icmp 11/1 00000000 +36"),
        router.sent);
    assertEquals(
        List.of(
            "FRAG_REASM_TIMEOUT inet_frag_rbtree_purge",
            "FRAG_REASM_TIMEOUT ip_expire",
            "FRAG_REASM_TIMEOUT inet_frag_rbtree_purge"),
        router.dropped);
    assertEquals(0, router.inet.fragments().memory());
    assertEquals(0, router.net.skbs.outstanding());
  }

  @ParameterizedTest(name = "{0} df {1} mtu {2} arriving {3}")
  @CsvSource(
      delimiter = '|',
      value = {
        // with connection tracking: lengths; DF; MTU of eth1; order; what leaves
        "400 400 200    | 000  | 1500 | 0 1 2   | 0+ len 420,400+ len 420,800 len 220",
        "400 800 96 300 | 0000 | 1500 | 0 1 2 3 | 0+ len 420,400+ len 820,1200+ len 116,1296 len"
            + " 320",
        "400 800 96 300 | 0000 | 1500 | 3 2 1 0 | 0+ len 420,400+ len 820,1200+ len 116,1296 len"
            + " 320",
        "400 400 200    | 111  | 1500 | 0 1 2   | 0+ len 420,400+ len 420,800 len 220",
        "8 400 200      | 000  | 1500 | 0 1 2   | 0+ len 28,8+ len 420,408 len 220",
        "800 800 200    | 000  | 500  | 0 1 2   | 0+ len 500,480+ len 500,960+ len 500,1440 len"
            + " 380",
        "400 400 200    | 111  | 500  | 0 1 2   | 0+ len 420,400+ len 420,800 len 220",
      })
  void aTrackedPacketIsSplitAgainAsItCame(
      String lengths, String df, int mtu, String order, String expected) {
    Router router = new Router();
    router.eth1.mtu = mtu;
    router.netfilter.register(
        Hook.PRE_ROUTING,
        HookPriority.CONNTRACK_DEFRAG,
        (hook, skb, in, out) ->
            (skb.u16(skb.networkHeader + 6) & 0x3FFF) == 0
                    || router.inet.defragment(skb, IpFragments.IP_DEFRAG_CONNTRACK_IN)
                ? Verdict.ACCEPT
                : Verdict.STOLEN);
    String[] sizes = lengths.split(" ");
    byte[][] parts = new byte[sizes.length][];
    int offset = 0;
    for (int i = 0; i < sizes.length; i++) {
      int size = Integer.parseInt(sizes[i]);
      parts[i] =
          ip().to("192.168.7.2")
              .fragment(offset, i < sizes.length - 1, df.charAt(i) == '1')
              .payload(Packets.fill(size))
              .bytes();
      offset += size;
    }
    for (String number : order.split(" ")) {
      assertEquals(List.of(), router.sent);
      router.receive(parts[Integer.parseInt(number)]);
    }
    List<String> sent = new ArrayList<>();
    for (String one : router.sent) {
      sent.add(one.replace("eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 frag ", ""));
    }
    assertEquals(List.of(expected.split(",")), sent);
    assertEquals(0, router.net.skbs.outstanding());
  }

  @ParameterizedTest(name = "protocol {0}, tcp_early_demux {1}")
  @CsvSource({
    "6, 1, 0+ DF len 36|16 DF len 32",
    "6, 0, 0+ len 28|8 len 40",
    "17, 1, 0+ len 28|8 len 40",
  })
  void aCutTcpHeaderIsPulledTogetherByEarlyDemux(int protocol, int demux, String expected) {
    Router router = new Router().sysctl("net.ipv4.tcp_early_demux", demux);
    router.netfilter.register(
        Hook.PRE_ROUTING,
        HookPriority.CONNTRACK_DEFRAG,
        (hook, skb, in, out) ->
            router.inet.defragment(skb, IpFragments.IP_DEFRAG_CONNTRACK_IN)
                ? Verdict.ACCEPT
                : Verdict.STOLEN);
    for (int offset = 0; offset <= 8; offset += 8) {
      router.receive(
          ip().to("192.168.7.2")
              .protocol(protocol)
              .fragment(offset, offset == 0, true)
              .payload(Packets.fill(offset == 0 ? 8 : 20))
              .bytes());
    }
    List<String> sent = new ArrayList<>();
    for (String one : router.sent) {
      sent.add(one.replace("eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 frag ", ""));
    }
    // With DF when it was split anew: the kernel keeps it only then.
    assertEquals(expected, String.join("|", sent));
  }

  @Test
  void fragmentsWithDfThatDoNotFitAreTooBig() {
    Router router = new Router();
    router.eth1.mtu = 500;
    router.netfilter.register(
        Hook.PRE_ROUTING,
        HookPriority.CONNTRACK_DEFRAG,
        (hook, skb, in, out) ->
            router.inet.defragment(skb, IpFragments.IP_DEFRAG_CONNTRACK_IN)
                ? Verdict.ACCEPT
                : Verdict.STOLEN);
    router.receive(
        ip().to("192.168.7.2").fragment(0, true, true).payload(Packets.fill(800)).bytes());
    router.receive(
        ip().to("192.168.7.2").fragment(800, false, true).payload(Packets.fill(200)).bytes());
    assertEquals(List.of("PKT_TOO_BIG ip_forward"), router.dropped);
    assertTrue(router.sent.get(0).contains("icmp 3/4 000001f4 +548"), router.sent.get(0));
  }

  @Test
  void usersDoNotShareQueues() {
    Router router = new Router();
    router.netfilter.register(
        Hook.PRE_ROUTING,
        HookPriority.CONNTRACK_DEFRAG,
        (hook, skb, in, out) ->
            router.inet.defragment(
                    skb, IpFragments.IP_DEFRAG_CONNTRACK_IN + skb.u8(skb.networkHeader + 1))
                ? Verdict.ACCEPT
                : Verdict.STOLEN);
    router.receive(part(7, 0, 16, true, 0));
    router.receive(part(7, 16, 16, false, 4));
    assertEquals(2, router.inet.fragments().inUse());
  }
}
