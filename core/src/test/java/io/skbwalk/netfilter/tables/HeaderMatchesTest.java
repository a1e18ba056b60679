// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.device.NetDevice;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/**
 * Matches without memory against what follows the IP header: yes, no and why, or a drop. The lines
 * are in header-matches.txt.
 */
class HeaderMatchesTest {
  private static final NetDevice ETH0 = new NetDevice("eth0", 2, 0x020000000001L, 1500, 1);
  private static final NetDevice ETH1 = new NetDevice("eth1", 3, 0x020000000101L, 1500, 1);

  private final Net net = new Net(1_000_000_000_000L, 1);

  @ParameterizedTest(name = "{0}: {1}")
  @CsvFileSource(resources = "header-matches.txt", delimiter = '|')
  void answersAsTheKernelDoes(String rule, String packet, String answer) {
    String text = "*filter\n-A FORWARD " + rule + "\nCOMMIT\n";
    Rule parsed =
        IptablesSaveParser.parse(text, "f").table(TableKind.FILTER).chain("FORWARD").rules().get(0);
    Environment environment = new Environment(net, null, null, null, null);
    PacketContext context = new PacketContext(environment, TableKind.FILTER);
    SkBuff skb = packet(parsed.basic().protocol(), packet);
    context.hook = Hook.FORWARD;
    context.in = ETH0;
    context.out = ETH1;
    context.fragmentOffset = IpHeader.fragment(skb) & IpHeader.IP_OFFSET;
    context.transport = skb.networkHeader + IpHeader.headerLength(skb);
    PacketMatch match = parsed.matches().get(parsed.matches().size() - 1).bind(environment);
    boolean matches = match.matches(skb, context);
    String said = matches ? "yes" : "no: " + match.explain(skb, context);
    assertEquals(answer, context.hotdrop ? said.replaceFirst(":|$", ", drop$0") : said);
    net.skbs.consume(skb);
  }

  /** {@code [tos=N] [fragment=N] HEX}: a packet with that behind its IP header. */
  private SkBuff packet(int protocol, String text) {
    String[] words = text.split(" ");
    StringBuilder hex = new StringBuilder();
    for (String word : words) {
      hex.append(word.contains("=") || word.equals("-") ? "" : word);
    }
    byte[] payload = HexFormat.of().parseHex(hex);
    SkBuff skb = net.skbs.allocate(64, 2048);
    skb.networkHeader = skb.put(20 + payload.length);
    java.util.Arrays.fill(skb.head, skb.data, skb.tail, (byte) 0);
    System.arraycopy(payload, 0, skb.head, skb.data + 20, payload.length);
    int ip = skb.networkHeader;
    skb.setU8(ip, 0x45);
    skb.setU16(ip + IpHeader.TOTAL_LENGTH_OFFSET, 20 + payload.length);
    skb.setU8(ip + IpHeader.TTL_OFFSET, 64);
    skb.setU8(ip + IpHeader.PROTOCOL_OFFSET, protocol == 0 ? 17 : protocol);
    skb.setU32(ip + IpHeader.SOURCE_OFFSET, Ip4.parse("198.51.100.9"));
    skb.setU32(ip + IpHeader.DESTINATION_OFFSET, Ip4.parse("192.168.7.2"));
    for (String word : words) {
      int value = word.contains("=") ? Integer.decode(word.replaceAll(".*=", "")) : 0;
      switch (word.replaceAll("=.*", "")) {
        case "tos" -> skb.setU8(ip + IpHeader.TOS_OFFSET, value);
        case "fragment" -> skb.setU16(ip + IpHeader.FRAGMENT_OFFSET, value / 8);
        default -> {}
      }
    }
    skb.dev = ETH0;
    return skb;
  }
}
