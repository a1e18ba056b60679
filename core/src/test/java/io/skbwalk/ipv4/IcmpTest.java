// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.kernel.Clock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ICMP received and sent, as Linux 6.18 does. */
class IcmpTest {
  private static final byte[] EIGHT = "dddddddd".getBytes();

  @ParameterizedTest(name = "type {0} to {1}")
  @CsvSource({
    // type, to, dropped, answered with
    "0, 203.0.113.1, NO_SOCKET ping_rcv, ''",
    "1, 203.0.113.1, '', ''",
    "3, 203.0.113.1, NOT_SPECIFIED icmp_rcv, ''",
    "4, 203.0.113.1, NOT_SPECIFIED icmp_rcv, ''",
    "5, 203.0.113.1, PKT_TOO_SMALL icmp_rcv, ''",
    "7, 203.0.113.1, '', ''",
    "8, 203.0.113.1, '', 203.0.113.1>203.0.113.9 len 36 icmp 0/0 00010002 +8",
    "9, 203.0.113.1, '', ''",
    "11, 203.0.113.1, NOT_SPECIFIED icmp_rcv, ''",
    "12, 203.0.113.1, NOT_SPECIFIED icmp_rcv, ''",
    "13, 203.0.113.1, '', 203.0.113.1>203.0.113.9 len 40 icmp 14/0 00010002 +12",
    "14, 203.0.113.1, '', ''",
    "17, 203.0.113.1, '', ''",
    "19, 203.0.113.1, UNHANDLED_PROTO icmp_rcv, ''",
    "42, 203.0.113.1, '', ''",
    "43, 203.0.113.1, NO_SOCKET ping_rcv, ''",
    "255, 203.0.113.1, UNHANDLED_PROTO icmp_rcv, ''",
    "8, 203.0.113.255, INVALID_PROTO icmp_rcv, ''",
    "13, 203.0.113.255, INVALID_PROTO icmp_rcv, ''",
    "17, 203.0.113.255, '', ''",
    "0, 203.0.113.255, INVALID_PROTO icmp_rcv, ''",
    "3, 203.0.113.255, INVALID_PROTO icmp_rcv, ''",
    "19, 203.0.113.255, INVALID_PROTO icmp_rcv, ''",
    "111, 224.0.0.1, INVALID_PROTO icmp_rcv, ''",
  })
  void messages(int type, String to, String dropped, String answer) {
    byte[] message = Packets.icmp(type, 0, 0x10002, EIGHT);
    Router router = new Router().receive(ip().to(to).protocol(1).payload(message).bytes());
    assertEquals(dropped.isEmpty() ? List.of() : List.of(dropped), router.dropped);
    assertEquals(
        answer.isEmpty() ? List.of() : List.of("eth0 via 203.0.113.9 " + answer), router.sent);
    assertEquals(0, router.net.skbs.outstanding());
  }

  @ParameterizedTest
  @CsvSource({"8, 203.0.113.255", "13, 255.255.255.255", "8, 224.0.0.1"})
  void broadcastsAreAnsweredWhenAsked(int type, String to) {
    Router router = new Router().sysctl("net.ipv4.icmp_echo_ignore_broadcasts", 0);
    router.receive(ip().to(to).protocol(1).payload(Packets.icmp(type, 0, 0x10002, EIGHT)).bytes());
    assertEquals(1, router.sent.size());
    assertTrue(
        router.sent.get(0).startsWith("eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 "),
        router.sent.get(0));
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    // the question's second word and body, the answer's code and second word
    "by name, 65793, 200000000008030165746831, 0 00010106",
    "by index, 65793, 200000000008030200000003, 0 00010106",
    "by address, 65793, 20000000000c030300010400c0a80701, 0 00010106",
    "not local, 65792, 200000000008030200000003, ''",
    "no such index, 65793, 200000000008030200000063, 2 00010100",
    "no such class type, 65793, 200000000008030900000063, 1 00010100",
    "nothing, 65793, '', 1 00010100",
  })
  void probesOfInterfaces(String name, int rest, String body, String answer) {
    byte[] message = Packets.icmp(42, 0, rest, Packets.hex(body));
    Router router = new Router().sysctl("net.ipv4.icmp_echo_enable_probe", 1);
    router.receive(ip().protocol(1).payload(message).bytes());
    assertEquals(
        answer.isEmpty()
            ? List.of()
            : List.of(
                "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 len "
                    + (20 + message.length)
                    + " icmp 43/"
                    + answer
                    + " +"
                    + body.length() / 2),
        router.sent);
  }

  @Test
  void echoesCanBeIgnored() {
    Router router = new Router().sysctl("net.ipv4.icmp_echo_ignore_all", 1);
    router.receive(ip().protocol(1).payload(Packets.icmp(8, 0, 1, EIGHT)).bytes());
    assertEquals(List.of(), router.sent);
    assertEquals(List.of(), router.dropped);
  }

  @Test
  void codeAndTosAreEchoed() {
    Router router = new Router();
    router.receive(ip().tos(0x55).protocol(1).payload(Packets.icmp(8, 5, 7, EIGHT)).bytes());
    assertEquals(
        List.of("eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos 55 len 36 icmp 0/5 00000007 +8"),
        router.sent);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "wrong checksum, 0800000100010002, ICMP_CSUM icmp_rcv",
    "four bytes, 0800f7ff, NOT_SPECIFIED icmp_rcv",
    "nothing, '', ICMP_CSUM icmp_rcv",
  })
  void malformedMessages(String name, String hex, String dropped) {
    Router router = new Router().receive(ip().protocol(1).payload(Packets.hex(hex)).bytes());
    assertEquals(List.of(dropped), router.dropped);
  }

  @ParameterizedTest(name = "{0}/{1} with {2}")
  @CsvSource({
    "13, 0, 3, PKT_TOO_SMALL icmp_rcv",
    "3, 3, 3, NOT_SPECIFIED icmp_rcv",
    "5, 1, 3, PKT_TOO_SMALL icmp_rcv",
    "3, 3, 31, IP_INHDR icmp_rcv",
  })
  void shortBodies(int type, int code, int length, String dropped) {
    byte[] message = Packets.icmp(type, code, 0, new byte[length]);
    Router router = new Router().receive(ip().protocol(1).payload(message).bytes());
    assertEquals(List.of(dropped), router.dropped);
  }

  @ParameterizedTest(name = "type {0} code {1}")
  @CsvSource({
    "3, 3, 0, 17 0",
    "3, 4, 1400, 17 1400",
    "3, 16, 0, ''",
    "11, 0, 0, 17 0",
    "11, 1, 0, ''",
    "12, 0, 0x15000000, 17 21",
  })
  void errorsReachTheProtocolThatTheyQuote(int type, int code, String rest, String told) {
    byte[] quoted = ip().from("203.0.113.1").to("203.0.113.9").bytes();
    byte[] message = Packets.icmp(type, code, Integer.decode(rest), quoted);
    Router router = new Router().receive(ip().protocol(1).payload(message).bytes());
    assertEquals(List.of(), router.dropped);
    assertEquals(told.isEmpty() ? List.of() : List.of(told), router.errors);
  }

  @Test
  void sixErrorsAtOnceToOneHostThenOneEachSecond() {
    Router router = new Router().sysctl("net.ipv4.icmp_ratemask", 0x1818);
    List<Integer> answers = new ArrayList<>();
    for (int second = 0; second < 3; second++) {
      int answered = 0;
      for (int i = 0; i < 10; i++) {
        answered += router.receive(ip().to("192.168.7.2").ttl(1).bytes()).sent.size();
      }
      answers.add(answered);
      router.net.timers.advanceTo(router.net.clock.now() + Clock.SECOND);
    }
    assertEquals(List.of(6, 1, 1), answers);
  }

  @Test
  void allHostsTogetherUseUpTheBurst() {
    Router router = new Router().sysctl("net.ipv4.icmp_ratemask", 0x1818);
    int answered = 0;
    for (int i = 0; i < 250; i++) {
      router.receive(ip().from("198.51.100." + i).to("192.168.7.2").ttl(1).bytes());
      answered += router.sent.size();
    }
    // 50 tokens at a random price of 0 to 2 each.
    assertTrue(answered >= 25 && answered <= 100, "answered " + answered);
    int limited = answered;
    Router free = new Router();
    answered = 0;
    for (int i = 0; i < 250; i++) {
      free.receive(ip().from("198.51.100." + i).to("192.168.7.2").ttl(1).bytes());
      answered += free.sent.size();
    }
    assertEquals(250, answered);
    assertTrue(limited < answered);
  }

  @Test
  void aLongEchoIsAnsweredInFragments() {
    Router router = new Router();
    byte[] ping = Packets.icmp(8, 0, 1, Packets.fill(3000));
    for (int offset = 0; offset < ping.length; offset += 1480) {
      int end = Math.min(ping.length, offset + 1480);
      router.receive(
          ip().protocol(1)
              .fragment(offset, end < ping.length, false)
              .payload(java.util.Arrays.copyOfRange(ping, offset, end))
              .bytes());
    }
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag 0+ len 1500",
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag 1480+ len 1500",
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 frag 2960 len 68"),
        router.sent);
  }

  @Test
  void marksAreReflectedOnlyWhenAsked() {
    for (int reflect = 0; reflect < 2; reflect++) {
      Router router = new Router().sysctl("net.ipv4.fwmark_reflect", reflect);
      int[] seen = {-1};
      router.netfilter.register(
          io.skbwalk.netfilter.Hook.PRE_ROUTING,
          0,
          (hook, skb, in, out) -> {
            skb.mark = 77;
            return io.skbwalk.netfilter.Verdict.ACCEPT;
          });
      router.netfilter.register(
          io.skbwalk.netfilter.Hook.LOCAL_OUT,
          0,
          (hook, skb, in, out) -> {
            seen[0] = skb.mark;
            return io.skbwalk.netfilter.Verdict.ACCEPT;
          });
      router.receive(ip().bytes());
      assertEquals(reflect * 77, seen[0]);
    }
  }
}
