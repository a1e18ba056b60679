// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.ipv4.route.FibConfig;
import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What this machine itself sends, as Linux 6.18 sends it. */
class IpOutputTest {
  private static final String ME = "203.0.113.1";

  private static Router send(Router router, byte[] packet) {
    SkBuff skb = router.build(packet, packet.length);
    router.inet.output().sendPrepared(skb);
    router.softirq();
    assertEquals(0, router.net.skbs.outstanding());
    return router;
  }

  @ParameterizedTest(name = "to {0}")
  @CsvSource({
    // to, who gets the frame, delivered here too, dropped here
    "203.0.113.9,     eth0 via 203.0.113.9,     0, ''",
    "10.255.0.1,      eth0 via 203.0.113.254,   0, ''",
    "192.168.7.2,     eth1 via 192.168.7.2,     0, ''",
    "203.0.113.255,   eth0 via 203.0.113.255,   1, NO_SOCKET __udp4_lib_rcv",
    "255.255.255.255, eth0 via 255.255.255.255, 1, NO_SOCKET __udp4_lib_rcv",
    "224.0.0.5,       eth0 via 224.0.0.5,       0, ''",
    "224.0.0.1,       eth0 via 224.0.0.1,       1, NO_SOCKET __udp4_lib_rcv",
    "203.0.113.1,     '',                       1, NO_SOCKET __udp4_lib_rcv",
    "192.168.7.1,     '',                       1, NO_SOCKET __udp4_lib_rcv",
  })
  void destinations(String to, String frame, int delivered, String dropped) {
    Router router = new Router();
    send(router, ip().from(ME).to(to).bytes());
    List<String> expected = new ArrayList<>();
    if (!frame.isEmpty()) {
      expected.add(frame + " " + ME + ">" + to + " len 48");
    }
    assertEquals(expected, router.sent);
    // A packet to this machine alone is answered with port unreachable, which comes back to it too.
    assertEquals(delivered, router.delivered.size());
    assertEquals(dropped.isEmpty() ? List.of() : List.of(dropped), router.dropped);
  }

  @Test
  void anUnreachableDestinationIsDropped() {
    Router router = new Router();
    router.fib.addRoute(
        FibConfig.to(Ip4.parse("10.1.0.0"), 16, Ipv4Operations.RTN_UNREACHABLE, null));
    send(router, ip().from(ME).to("10.1.0.1").bytes());
    assertEquals(List.of("IP_OUTNOROUTES __ip_queue_xmit"), router.dropped);
  }

  @Test
  void theHooksOfOwnPackets() {
    Router router = new Router();
    List<String> seen = router.watchHooks();
    send(router, ip().from(ME).to("203.0.113.255").bytes());
    assertEquals(
        List.of(
            "LOCAL_OUT null eth0",
            "POST_ROUTING null eth0",
            "POST_ROUTING null eth0",
            "PRE_ROUTING eth0 null",
            "LOCAL_IN eth0 null"),
        seen);
  }

  @Test
  void aMarkReroutes() {
    Router router = new Router();
    router.netfilter.register(
        Hook.LOCAL_OUT,
        0,
        (hook, skb, in, out) -> {
          skb.setU32(skb.networkHeader + 16, Ip4.parse("192.168.7.2"));
          IpHeader.updateChecksum(skb);
          return router.inet.routeMeHarder(skb) ? Verdict.ACCEPT : Verdict.DROP;
        });
    send(router, ip().from(ME).to("203.0.113.9").bytes());
    assertEquals(List.of("eth1 via 192.168.7.2 203.0.113.1>192.168.7.2 len 48"), router.sent);
  }

  @Test
  void aTrainOfSegmentsStaysWholeAndAnUnfinishedChecksumIsFinished() {
    Router router = new Router();
    byte[] right = Packets.tcp(ME, "203.0.113.9", 1, 2, 0x10, 4000);
    byte[] partial = right.clone();
    long pseudo = Checksum.pseudoHeader(Ip4.parse(ME), Ip4.parse("203.0.113.9"), 6, right.length);
    Packets.put16(partial, 16, ~Checksum.fold(pseudo));
    send(
        router,
        ip().from(ME).to("203.0.113.9").dontFragment().protocol(6).payload(partial).bytes());
    assertEquals(
        List.of("eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag 0 DF len 4040"), router.sent);
    assertEquals(Packets.get16(right, 16), Packets.get16(router.frames.get(0), 20 + 16));
  }

  @Test
  void aLongDatagramIsSplit() {
    Router router = new Router();
    send(router, ip().from(ME).to("203.0.113.9").payload(Packets.udp(2000)).bytes());
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag 0+ len 1500",
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag 1480 len 548"),
        router.sent);
  }

  @ParameterizedTest(name = "path MTU {0}")
  @CsvSource({"600, 596, 452", "100, 548, 500"})
  void aLearnedPathMtuSplitsEchoReplies(int mtu, int first, int second) {
    Router router = new Router();
    byte[] quoted =
        ip().from(ME)
            .to("203.0.113.9")
            .protocol(1)
            .payload(Packets.icmp(0, 0, 1, new byte[1000]))
            .bytes();
    byte[] told = Packets.icmp(3, 4, mtu, java.util.Arrays.copyOf(quoted, 36));
    router.receive(ip().protocol(1).payload(told).bytes());
    router.receive(ip().protocol(1).payload(Packets.icmp(8, 0, 1, new byte[1000])).bytes());
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag 0+ len " + first,
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag " + (first - 20) + " len " + second),
        router.sent);
  }

  @Test
  void aSilentNeighbourIsToldToTheSenderWithOptionsFilledInAgain() {
    Router router = new Router();
    router.linkFailsFor = "192.168.7.99";
    router.receive(ip().to("192.168.7.99").options("070f04000000000000000000000000").bytes());
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0 opt"
                + " 070f10c0a80701cb007101cb00710100 len 108 icmp 3/1 00000000 +64"),
        router.sent);
  }

  @Test
  void aResetAnswersTheSegmentWithItsOptionsEchoed() {
    Router router = new Router();
    router.netfilter.register(
        Hook.LOCAL_IN,
        0,
        (hook, skb, in, out) -> {
          router.inet.output().sendUnicastReply(skb, new byte[20], 20, 0x13);
          return Verdict.DROP;
        });
    router.receive(ip().protocol(6).options("07070400000000").payload(new byte[20]).bytes());
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos 10 frag 0 DF opt 070708cb00710100"
                + " len 48"),
        router.sent);
  }
}
