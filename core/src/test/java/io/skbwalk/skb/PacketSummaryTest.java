// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.language.FrameBuilder;
import io.skbwalk.lib.Ip4;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PacketSummaryTest {
  private static FrameBuilder ip() {
    return new FrameBuilder(0x020000000001L, 0x020000000002L)
        .ip(Ip4.parse("198.51.100.9"), Ip4.parse("203.0.113.1"));
  }

  static Stream<Arguments> frames() {
    return Stream.of(
        Arguments.of(
            ip().tcp(40000, 80, TcpHeader.SYN | TcpHeader.ACK, 1, 2, 3),
            "TCP 198.51.100.9:40000 > 203.0.113.1:80 [S.] 54 bytes"),
        Arguments.of(ip().udp(53, 54), "UDP 198.51.100.9:53 > 203.0.113.1:54 42 bytes"),
        Arguments.of(
            ip().udp(53, 54).fragment(0x2001).vlan(7),
            "vlan 7 UDP 198.51.100.9 > 203.0.113.1 frag 8+ 46 bytes"),
        Arguments.of(ip().icmp(8, 0, 1), "ICMP 198.51.100.9 > 203.0.113.1 echo request 42 bytes"),
        Arguments.of(
            new FrameBuilder(0x020000000001L, 0x020000000002L).etherType(0x1234),
            "02:00:00:00:00:02 > 02:00:00:00:00:01 type 0x1234 34 bytes"));
  }

  @ParameterizedTest
  @MethodSource("frames")
  void reads(FrameBuilder builder, String expected) {
    byte[] frame = builder.frame();
    assertEquals(expected, PacketSummary.ofFrame(frame, 0, frame.length));
  }

  @Test
  void neverReadsBeyondTheEnd() {
    frames()
        .forEach(
            arguments -> {
              byte[] frame = ((FrameBuilder) arguments.get()[0]).frame();
              for (int length = 0; length < frame.length; length++) {
                byte[] cut = java.util.Arrays.copyOf(frame, length);
                PacketSummary.ofFrame(cut, 0, length);
              }
            });
  }
}
