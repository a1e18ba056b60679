// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import static io.skbwalk.ipv4.Packets.ip;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.skb.SkBuff;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The header checks of ip_rcv; reasons and functions as Linux 6.18's kfree_skb tracepoint gave
 * them.
 */
class IpReceiveTest {
  static Stream<Arguments> malformed() {
    byte[] good = ip().bytes();
    return Stream.of(
        Arguments.of("no byte", new byte[0], "IP_INHDR ip_rcv_core"),
        Arguments.of("one byte", Arrays.copyOf(good, 1), "IP_INHDR ip_rcv_core"),
        Arguments.of("19 bytes", Arrays.copyOf(good, 19), "IP_INHDR ip_rcv_core"),
        Arguments.of("version 5", with(good, 0, 0x55), "IP_INHDR ip_rcv_core"),
        Arguments.of("IHL 4", with(good, 0, 0x44), "IP_INHDR ip_rcv_core"),
        Arguments.of(
            "options beyond the end",
            with(Arrays.copyOf(good, 20), 0, 0x4F),
            "IP_INHDR ip_rcv_core"),
        Arguments.of("wrong checksum", with(good, 11, 0), "IP_CSUM ip_rcv_core"),
        Arguments.of("payload cut off", Arrays.copyOf(good, 20), "PKT_TOO_SMALL ip_rcv_core"),
        Arguments.of(
            "total length shorter than the header",
            Packets.sign(with(good, 3, 19), 20),
            "IP_INHDR ip_rcv_core"));
  }

  private static byte[] with(byte[] packet, int at, int value) {
    byte[] copy = packet.clone();
    copy[at] = (byte) value;
    return copy;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("malformed")
  void malformedHeadersAreDropped(String name, byte[] packet, String drop) {
    Router router = new Router().receive(packet);
    assertEquals(List.of(drop), router.dropped);
    assertEquals(List.of(), router.sent);
    assertEquals(0, router.net.skbs.outstanding());
  }

  @Test
  void paddingIsCutOff() {
    Router router = new Router();
    router.receive(Arrays.copyOf(ip().to("192.168.7.2").payload(new byte[4]).bytes(), 46));
    assertEquals(
        List.of("eth1 via 192.168.7.2 203.0.113.9>192.168.7.2 ttl 63 len 24"), router.sent);
  }

  static Stream<Arguments> linkLayerTypes() {
    return Stream.of(
        Arguments.of(SkBuff.PACKET_OTHERHOST, "203.0.113.1", "OTHERHOST ip_rcv_core"),
        Arguments.of(SkBuff.PACKET_BROADCAST, "192.168.7.2", "NOT_SPECIFIED ip_forward"),
        Arguments.of(SkBuff.PACKET_BROADCAST, "203.0.113.1", "NO_SOCKET __udp4_lib_rcv"),
        Arguments.of(SkBuff.PACKET_MULTICAST, "192.168.7.2", "NOT_SPECIFIED ip_forward"));
  }

  @ParameterizedTest
  @MethodSource("linkLayerTypes")
  void aFrameForOthersIsNeitherForwardedNorAnswered(byte type, String to, String drop) {
    Router router = new Router();
    router.receive(router.eth0, type, ip().to(to).bytes());
    assertEquals(List.of(drop), router.dropped);
    assertEquals(List.of(), router.sent);
  }

  @Test
  void unicastInBroadcastFramesMayBeRefused() {
    Router router = new Router().sysctl("net.ipv4.conf.eth0.drop_unicast_in_l2_multicast", 1);
    router.receive(router.eth0, SkBuff.PACKET_BROADCAST, ip().bytes());
    assertEquals(List.of("UNICAST_IN_L2_MULTICAST ip_rcv_finish_core"), router.dropped);
  }

  @Test
  void anUnknownProtocolIsUnreachable() {
    Router router = new Router().receive(ip().protocol(99).bytes());
    assertEquals(List.of("IP_NOPROTO ip_local_deliver_finish"), router.dropped);
    assertEquals(
        List.of("eth0 via 203.0.113.9 203.0.113.1>203.0.113.9 tos c0 len 76 icmp 3/2 00000000 +48"),
        router.sent);
  }
}
