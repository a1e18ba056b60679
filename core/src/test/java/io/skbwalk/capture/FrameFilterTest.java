// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pcap4j.core.BpfProgram;
import org.pcap4j.core.BpfProgram.BpfCompileMode;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.Pcaps;
import org.pcap4j.packet.namednumber.DataLinkType;

class FrameFilterTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp port 80",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
        "udp and not port 53",
        "host 10.0.0.1 or net 192.168.0.0/16",
        "ip[8] > 32 and ip[0] & 0xf != 5",
        "portrange 50-90",
        "less 64 or len > 90",
        "vlan and tcp",
        "icmp[icmptype] = icmp-echo",
        "ip[2:2] - ((ip[0] & 0xf) << 2) > 20",
        "ip[8] * 3 / 2 % 7 = 3 or ip[9] ^ 6 = 0 or ip[12:4] >> 24 = 10",
        "ip[8] / (ip[9] - 6) > 2",
        "ip6 or arp",
        ""
      })
  void passesWhatLibpcapPasses(String expression) throws Exception {
    for (int linkType : new int[] {LinkType.ETHERNET, LinkType.RAW, LinkType.LINUX_SLL}) {
      if (linkType != LinkType.ETHERNET && expression.contains("vlan")) {
        continue;
      }
      FrameFilter filter = FrameFilter.compile(expression, linkType);
      Random random = new Random(expression.hashCode());
      int passed = 0;
      try (PcapHandle handle =
          Pcaps.openDead(DataLinkType.getInstance(LinkType.dlt(linkType)), 65535)) {
        BpfProgram theirs =
            handle.compileFilter(
                expression,
                BpfCompileMode.OPTIMIZE,
                (Inet4Address) InetAddress.getByName("255.255.255.255"));
        for (int i = 0; i < 500; i++) {
          byte[] frame = frame(random, linkType);
          int original = frame.length + random.nextInt(3) * 40;
          boolean ours = filter.matches(ByteBuffer.wrap(frame), linkType, original);
          assertEquals(theirs.applyFilter(frame, original, frame.length), ours);
          passed += ours ? 1 : 0;
        }
        theirs.free();
      }
      assertTrue(passed > 0 || expression.contains("arp"), expression + " passed nothing");
    }
  }

  /** Mostly IPv4 with small random values where the expressions look, cut anywhere. */
  private static byte[] frame(Random random, int linkType) {
    int link = LinkType.headerLength(linkType);
    byte[] frame = new byte[link + 20 + random.nextInt(60)];
    random.nextBytes(frame);
    int at = LinkType.protocolOffset(linkType);
    int ip = link;
    if (at >= 0) {
      boolean tagged = linkType == LinkType.ETHERNET && random.nextInt(4) == 0;
      frame[at] = (byte) (tagged ? 0x81 : 8);
      frame[at + 1] = 0;
      if (tagged) {
        frame[at + 4] = 8;
        frame[at + 5] = 0;
        ip += 4;
      }
    }
    byte[] head = {0x45, 0, 0, 60, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, (byte) 192, (byte) 168};
    for (int i = 0; i < head.length && ip + i < frame.length; i++) {
      if (random.nextInt(8) > 0) {
        frame[ip + i] = head[i];
      }
    }
    int[] protocols = {1, 6, 6, 17};
    int[] ports = {53, 80, 0x16};
    int[] put = {9, protocols[random.nextInt(4)], 6, 0, 7, 0, 20, random.nextInt(2) * 8, 21, 80};
    for (int i = 0; i < put.length; i += 2) {
      if (ip + put[i] < frame.length) {
        frame[ip + put[i]] = (byte) put[i + 1];
      }
    }
    if (ip + 23 < frame.length) {
      frame[ip + 20] = (byte) (random.nextInt(2) * 8);
      frame[ip + 22] = 0;
      frame[ip + 23] = (byte) ports[random.nextInt(3)];
    }
    return random.nextInt(5) == 0
        ? java.util.Arrays.copyOf(frame, random.nextInt(frame.length))
        : frame;
  }

  @Test
  void aWrongExpressionIsToldInLibpcapsWords() {
    FilterException error =
        assertThrows(
            FilterException.class, () -> FrameFilter.compile("tcp prot 80", LinkType.ETHERNET));
    assertTrue(
        error.getMessage().startsWith("filter 'tcp prot 80' for Ethernet: ")
            && error.getMessage().contains("syntax error"),
        error.getMessage());
  }

  @Test
  void aFilterFollowsTheLinkTypesOfACapture() {
    FrameFilter filter = FrameFilter.compile("ip or len > 0", LinkType.ETHERNET);
    try (CaptureReader reader =
        CaptureBytes.reader(CaptureBytes.rich(java.nio.ByteOrder.LITTLE_ENDIAN))) {
      int passed = 0;
      while (reader.next()) {
        passed += filter.matches(reader) ? 1 : 0;
      }
      assertEquals(3, passed);
    }
  }
}
