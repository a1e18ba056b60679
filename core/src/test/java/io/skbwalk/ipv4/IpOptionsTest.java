// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * IP options on their way, each case as Linux 6.18 showed it. The clock stands at midnight UTC, so
 * times are 0.
 */
class IpOptionsTest {
  @ParameterizedTest(name = "{0}")
  @CsvSource({
    // option sent, option forwarded
    "07 07 04 00000000, 070708c0a8070100",
    "07 0b 04 0000000000000000, 070b08c0a807010000000000",
    "01 07 07 04 00000000, 01070708c0a80701",
    "00 01 02 03, 00000000",
    "99 04 00 00, 99040000",
    "94 04 00 00, 94040000",
    "94 04 00 01, 94040001",
    "44 04 05 00, 44040510",
    "44 08 05 00 ffffffff, 4408090000000000",
    "44 0c 05 01 ffffffffffffffff, 440c0d01cb00710100000000",
    "44 0c 05 03 cb007101 ffffffff, 440c0d03cb00710100000000",
    "44 0c 05 03 0a000001 00000000, 440c05030a00000100000000",
    "44 08 09 00 00000000, 4408091000000000",
    "44 08 09 f3 00000000, 440809f300000000",
    "44 08 05 02 00000000, 4408050200000000",
    "82 0b 00 00000000 00000000 00 00, 820b0000000000000000000000000000",
  })
  void aRouterFillsThemIn(String option, String forwarded) {
    Router router = new Router().receive(ip().to("192.168.7.2").options(option).bytes());
    assertEquals(List.of(), router.dropped);
    int length = 20 + forwarded.length() / 2 + 28;
    assertEquals(
        List.of(
            "eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 opt "
                + forwarded
                + " len "
                + length),
        router.sent);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    // option sent, pointer of the parameter problem, options of the answer
    "07 02 00 00, 15, ''",
    "07 07 03 00000000, 16, ''",
    "07 07 05 00000000, 16, ''",
    "07 07 04 00000000 07 07 04 00000000, 1b, 070708cb00710100",
    "01 01 01 07, 17, ''",
    "07 28 04 00, 14, ''",
    "07 01 04 00, 14, ''",
    "94 03 00 00, 15, ''",
    "44 0c 06 01 0000000000000000, 16, ''",
    "44 08 09 f0 00000000, 17, ''",
    "44 08 04 00 00000000, 16, ''",
    "44 03 05 00, 15, ''",
    "44 0c 05 00 00000000 00000000 4404 0500, 20, 440c0d000000000000000000",
    "83 02 04 c0, 15, ''",
    "83 07 03 c0a80702, 16, ''",
    "86 04 00 00, 15, 86040000",
  })
  void wrongOnesAreAnsweredWithTheirPlace(String option, String pointer, String echoed) {
    byte[] packet = ip().to("192.168.7.2").options(option).bytes();
    Router router = new Router().receive(packet);
    assertEquals(List.of("IP_INHDR ip_rcv_finish_core"), router.dropped);
    String opt = echoed.isEmpty() ? "" : " opt " + echoed;
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0"
                + opt
                + " len "
                + (28 + echoed.length() / 2 + packet.length)
                + " icmp 12/0 "
                + pointer
                + "000000 +"
                + packet.length),
        router.sent);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "83 07 04 c0a80702, 192.168.7.2",
    "89 07 04 c0a80702, 192.168.7.2",
    "83 03 04 00, 192.168.7.2",
    "83 0b 08 c0a80702 c0a80702, 203.0.113.1",
  })
  void sourceRoutesAreRefusedSilently(String option, String to) {
    Router router = new Router().receive(ip().to(to).options(option).bytes());
    assertEquals(List.of("NOT_SPECIFIED ip_rcv_finish_core"), router.dropped);
    assertEquals(List.of(), router.sent);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({
    "07 0b 04 0000000000000000, 070b0ccb007101cb00710100",
    "44 0c 05 00 ffffffffffffffff, 440c0d000000000000000000",
    "44 0c 05 03 cb007101 ffffffff, 440c0d03cb00710100000000",
    "94 04 00 00, ''",
    "01 01 01 01, ''",
  })
  void anEchoReplyContinuesThem(String option, String echoed) {
    byte[] ping = Packets.icmp(8, 0, 0x10002, "hello".getBytes());
    Router router = new Router().receive(ip().protocol(1).payload(ping).options(option).bytes());
    assertEquals(
        List.of(
            "eth0 via 203.0.113.9 203.0.113.1>203.0.113.9"
                + (echoed.isEmpty() ? "" : " opt " + echoed)
                + " len "
                + (33 + echoed.length() / 2)
                + " icmp 0/0 00010002 +5"),
        router.sent);
  }

  @Test
  void anEchoWithoutRoomForTheAnswersTimeIsNotAnswered() {
    byte[] ping = Packets.icmp(8, 0, 0x10002, new byte[0]);
    String option = "44 10 05 01 000000000000000000000000";
    Router router = new Router().receive(ip().protocol(1).payload(ping).options(option).bytes());
    assertEquals(List.of(), router.sent);
    assertEquals(List.of(), router.dropped);
  }
}
