// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.ipv4.route.FibConfig;
import io.skbwalk.ipv4.route.FibRoute;
import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Forwarding, as Linux 6.18 forwards. */
class IpForwardTest {
  private static final String FAR = "192.168.7.2";

  @Test
  void theTtlGoesDownAndTheHooksSeeThePacketInOrder() {
    Router router = new Router();
    List<String> seen = router.watchHooks();
    router.receive(ip().to(FAR).bytes());
    assertEquals(
        List.of("PRE_ROUTING eth0 null", "FORWARD eth0 eth1", "POST_ROUTING eth0 eth1"), seen);
    assertEquals(
        List.of("eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 len 48"), router.sent);
    seen.clear();
    router.receive(ip().protocol(1).payload(Packets.icmp(8, 0, 1, new byte[4])).bytes());
    assertEquals(
        List.of(
            "PRE_ROUTING eth0 null",
            "LOCAL_IN eth0 null",
            "LOCAL_OUT null eth0",
            "POST_ROUTING null eth0"),
        seen);
  }

  @ParameterizedTest
  @CsvSource({"0, 0, c0", "1, 0, c0", "1, 255, de", "1, 4, c4"})
  void anExpiredTtlIsToldToTheSender(int ttl, int tos, String answerTos) {
    Router router = new Router().receive(ip().to(FAR).ttl(ttl).tos(tos).bytes());
    assertEquals(List.of("IP_INHDR ip_forward"), router.dropped);
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos "
                + answerTos
                + " len 76 icmp 11/0 00000000 +48"),
        router.sent);
  }

  @ParameterizedTest(name = "ICMP type {0} {1}")
  @CsvSource({
    "3, false",
    "5, false",
    "11, false",
    "40, false",
    "8, true",
    "14, true",
    "0, true",
  })
  void errorsAreNotToldAboutErrors(int type, boolean answered) {
    byte[] message = Packets.icmp(type, 3, 0, "abc".getBytes());
    Router router = new Router();
    router.receive(ip().to(FAR).protocol(1).ttl(1).payload(message).bytes());
    assertEquals(List.of("IP_INHDR ip_forward"), router.dropped);
    assertEquals(answered ? 1 : 0, router.sent.size());
  }

  @ParameterizedTest(name = "fragment at {0}, more {1}")
  @CsvSource({"40, false, 0", "0, true, 1"})
  void onlyFirstFragmentsAreAnswered(int offset, boolean more, int answers) {
    Router router = new Router();
    router.receive(ip().to(FAR).ttl(1).fragment(offset, more, false).bytes());
    assertEquals(answers, router.sent.size());
  }

  @Test
  void anEmptyIcmpPacketMayBeAnError() {
    Router router = new Router();
    router.receive(ip().to(FAR).protocol(1).ttl(1).payload(new byte[0]).bytes());
    assertEquals(List.of(), router.sent);
  }

  @Test
  void dontFragmentIsAnsweredWithTheMtu() {
    Router router = new Router();
    router.eth1.mtu = 600;
    router.receive(ip().to(FAR).dontFragment().payload(Packets.udp(1000)).bytes());
    assertEquals(List.of("PKT_TOO_BIG ip_forward"), router.dropped);
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0 len 576 icmp 3/4 00000258 +548"),
        router.sent);
  }

  @ParameterizedTest(name = "{0} bytes at {1}, more {2}, options {3}")
  @CsvSource(
      delimiter = '|',
      value = {
        "600 | 0  | false | ''                   | frag 0+ len 300,frag 280+ len 300,frag 560 len"
            + " 60",
        "600 | 80 | true  | ''                   | frag 80+ len 300,frag 360+ len 300,frag 640+ len"
            + " 60",
        "600 | 80 | false | ''                   | frag 80+ len 300,frag 360+ len 300,frag 640 len"
            + " 60",
        "608 | 0 | false | 070b04000000000000000094040000 82040000"
            + " | frag 0+ opt 070b08c0a8070100000000940400008204000000 len 296,"
            + "frag 256+ opt 0101010101010101010101940400008204000000 len 296,"
            + "frag 512 opt 0101010101010101010101940400008204000000 len 136",
      })
  void whatIsTooLongIsSplit(int size, int offset, boolean more, String options, String expected) {
    Router router = new Router();
    router.eth1.mtu = 300;
    byte[] packet =
        ip().to(FAR)
            .fragment(offset, more, false)
            .options(options)
            .payload(Packets.fill(size))
            .bytes();
    router.receive(packet);
    List<String> sent = new ArrayList<>();
    for (String one : router.sent) {
      sent.add(one.replace("eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 ", ""));
    }
    assertEquals(List.of(expected.split(",")), sent);
  }

  @Test
  void aBetterGatewayIsTold() {
    Router router = new Router().receive(ip().to("203.0.113.77").bytes());
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0 len 76 icmp 5/1 cb00714d +48",
            "eth0 via 203.0.113.77 203.0.113.9>203.0.113.77 ttl 63 len 48"),
        router.sent);
  }

  @Test
  void redirectsBackOffAndStopAtNine() {
    Router router = new Router();
    int told = 0;
    List<Integer> times = new ArrayList<>();
    for (int tenth = 0; tenth < 200; tenth++) {
      router.net.timers.advanceTo(router.net.clock.now() + Clock.SECOND / 10);
      router.receive(ip().to("203.0.113.77").bytes());
      if (router.sent.size() == 2) {
        told++;
        times.add(tenth);
      }
    }
    // Each pause is more than 20 ms << n.
    assertEquals(List.of(0, 1, 2, 4, 8, 15, 28, 54, 106), times);
    assertEquals(9, told);
  }

  @ParameterizedTest(name = "{0} {1} forwarding {2}")
  @CsvSource({
    "10.1.0.1, UNREACHABLE, 1, NOT_SPECIFIED, 3/1",
    "10.2.0.1, PROHIBIT,    1, NOT_SPECIFIED, 3/13",
    "10.3.0.1, BLACKHOLE,   1, NOT_SPECIFIED, ''",
    "10.1.0.1, UNREACHABLE, 0, IP_INADDRERRORS, ''",
    "10.3.0.1, BLACKHOLE,   0, IP_INADDRERRORS, ''",
    "192.168.7.2, none,     0, IP_INADDRERRORS, ''",
  })
  void routesThatLeadNowhere(String to, String kind, int forward, String reason, String answer) {
    Router router = new Router().sysctl("net.ipv4.ip_forward", forward);
    int[] types = {
      Ipv4Operations.RTN_UNREACHABLE, Ipv4Operations.RTN_PROHIBIT, Ipv4Operations.RTN_BLACKHOLE
    };
    for (int i = 0; i < 3; i++) {
      router.fib.addRoute(
          new FibConfig(
              Ip4.parse("10." + (i + 1) + ".0.0"),
              16,
              types[i],
              0,
              null,
              FibRoute.RT_TABLE_MAIN,
              0,
              0,
              0,
              0,
              false));
    }
    router.receive(ip().to(to).bytes());
    assertEquals(List.of(reason + " ip_error"), router.dropped);
    assertEquals(answer.isEmpty() ? 0 : 1, router.sent.size());
    if (!answer.isEmpty()) {
      assertTrue(router.sent.get(0).contains(" icmp " + answer + " "), router.sent.get(0));
    }
  }

  @Test
  void fiveUnreachablesAtOnceThenOneASecond() {
    Router router = new Router();
    router.fib.addRoute(
        new FibConfig(
            Ip4.parse("10.1.0.0"),
            16,
            Ipv4Operations.RTN_UNREACHABLE,
            0,
            null,
            FibRoute.RT_TABLE_MAIN,
            0,
            0,
            0,
            0,
            false));
    List<Integer> answers = new ArrayList<>();
    for (int second = 0; second < 3; second++) {
      int answered = 0;
      for (int i = 0; i < 8; i++) {
        answered += router.receive(ip().to("10.1.0.1").bytes()).sent.size();
      }
      answers.add(answered);
      router.net.timers.advanceTo(router.net.clock.now() + Clock.SECOND);
    }
    assertEquals(List.of(5, 1, 1), answers);
  }

  @ParameterizedTest(name = "{0} to {1}")
  @CsvSource(
      delimiter = '|',
      value = {
        "83 07 04 c0a80702 | 203.0.113.1 | eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 opt"
            + " 830708c0a8070100 len 56",
        "89 07 04 c0a80702 | 203.0.113.1 | eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 opt"
            + " 890708c0a8070100 len 56",
        "83 07 04 c0a80702 | 192.168.7.2 | eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 opt"
            + " 830704c0a8070200 len 56",
        "83 0b 04 c0a80701 c0a80702 | 203.0.113.1 | eth1 via 192.168.7.2 203.0.113.9>192.168.7.2"
            + " ttl 63 opt 830b0cc0a80701c0a8070100 len 60",
        "83 07 04 08080808 | 203.0.113.1 | eth0 via 203.0.113.254 203.0.113.9>8.8.8.8 ttl 63 opt"
            + " 830708cb00710100 len 56",
        "83 0b 04 c0a80702 c0a80703 44 0c 05 01 0000000000000000 | 203.0.113.1 | eth1 via"
            + " 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 opt"
            + " 830b08c0a80701c0a80703440c0d01c0a807010000000000 len 72",
        "83 0b 04 c0a80702 c0a80703 07 0b 04 0000000000000000 | 203.0.113.1 | eth1 via"
            + " 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 opt"
            + " 830b08c0a80701c0a80703070b08c0a80701000000000000 len 72",
        "89 07 04 c0a80702 | 192.168.7.2 | eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0"
            + " len 84 icmp 12/0 10000000 +56",
        "83 06 04 c0a807 | 203.0.113.1 | eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0"
            + " len 84 icmp 12/0 16000000 +56",
        "89 07 04 08080808 | 203.0.113.1 | eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0"
            + " len 84 icmp 3/5 00000000 +56",
        "83 07 08 c0a80702 | 203.0.113.1 | eth1 via 192.168.7.2 203.0.113.1>192.168.7.2 tos c0"
            + " opt 830704cb00710900 len 92 icmp 3/3 00000000 +56",
        "83 07 04 c0a80701 | 203.0.113.1 | eth0 via 203.0.113.9 192.168.7.1>203.0.113.9 tos c0"
            + " len 84 icmp 3/3 00000000 +56",
      })
  void sourceRoutesAreFollowedWhenAccepted(String option, String to, String expected) {
    Router router =
        new Router()
            .sysctl("net.ipv4.conf.all.accept_source_route", 1)
            .sysctl("net.ipv4.conf.eth0.accept_source_route", 1);
    router.receive(ip().to(to).options(option).bytes());
    assertEquals(List.of(expected), router.sent);
  }

  @Test
  void aListenerHearsEveryStep() {
    Router router = new Router();
    List<TraceEvent> heard = new ArrayList<>();
    router.trace = heard::add;
    router.receive(ip().to(FAR).bytes());
    assertTrue(
        heard.contains(
            new TraceEvent.Step("ip_rcv", "header 20 bytes, checksum right, total length 48")),
        heard.toString());
    assertTrue(heard.contains(new TraceEvent.Changed("ttl", "64", "63")), heard.toString());
  }

  @Test
  void aFrameForwardedToABroadcastPacketTypeNeverLeaks() {
    Router router = new Router();
    router.receive(router.eth0, SkBuff.PACKET_MULTICAST, ip().to(FAR).bytes());
    assertEquals(0, router.net.skbs.outstanding());
  }
}
