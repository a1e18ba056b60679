// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.synproxy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Refusal;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostListener;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.SourceException;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.transport.Sock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a proxied handshake looks like from both sides, and how long its cookie holds. */
class SynproxyTest {
  private static final HostDescription ROUTER =
      HostFile.parse(
              "host.yaml",
              """
              interfaces:
                eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
                eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
              routes:
                - {to: default, via: 203.0.113.254}
              assume-neighbours: true
              sysctls: {net.ipv4.ip_forward: 1, net.netfilter.nf_conntrack_tcp_loose: 0}
              """)
          .description();

  private static final String RULES =
      """
      *raw
      -A PREROUTING -i eth0 -p tcp --syn -j CT --notrack
      COMMIT
      *filter
      -A FORWARD -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY %s
      -A FORWARD -m conntrack --ctstate INVALID -j DROP
      COMMIT
      """;

  /** A minute begins. */
  private static final long START = 1_000_020 * Clock.SECOND;

  private static final String TO_SERVER = "eth0 tcp 198.51.100.9:4000 > 192.168.7.2:80 ";
  private static final String TO_CLIENT = "eth1 tcp 192.168.7.2:80 > 198.51.100.9:4000 ";

  private final List<String> told = new ArrayList<>();
  private final TcpAnswers answers = new TcpAnswers();
  private long time = START;
  private Host host;

  private void proxy(String options) {
    host = new Host(ROUTER, IptablesSaveParser.parse(RULES.formatted(options), "r.v4"), START, 1);
    host.setListener(new Told());
  }

  /** Sends a packet {@code seconds} after the one before; what the machine does at once. */
  private String send(double seconds, String text) {
    told.clear();
    time += (long) (seconds * Clock.SECOND);
    ScenarioPacket packet = TypedPacket.parse("test", text, ROUTER);
    host.receive(host.device(packet.device()), answers.fill(packet), time, null);
    return String.join("; ", told);
  }

  @Test
  void theServerHearsOfTheClientOnceItIsReal() {
    proxy("--mss 1460 --timestamp --wscale 7 --sack-perm");
    assertEquals(
        "eth0 SA window 0 mss 1460 sack scale 7 echo 5",
        send(1, TO_SERVER + "S seq=100 mss=1300 wscale=9 sack-permitted=true timestamps=[5,0]"));
    assertEquals(0, host.conntrack().count());
    assertEquals(
        "eth1 S window 500 mss 1300 sack scale 9 echo cookie",
        send(0, TO_SERVER + "A seq=101 ack=isn+1 window=500 timestamps=[6,last]"));
    assertEquals(
        "eth1 A window 500 echo cookie; eth0 A window 400 echo 6",
        send(0, TO_CLIENT + "SA seq=7000 ack=101 window=1600 wscale=2 timestamps=[1000,last]"));
    assertEquals(
        "eth0 PA window 9 echo 6",
        send(0, TO_CLIENT + "PA seq=7001 ack=101 window=9 timestamps=[1001,6] payload=hello"));
    assertEquals(
        "eth1 A window 500 echo 1001",
        send(0, TO_SERVER + "A seq=101 ack=isn+6 window=500 timestamps=[7,last]"));
  }

  /** Segment size in the SYN, and that which the server is told. */
  @ParameterizedTest
  @CsvSource({"0,536", "535,536", "1299,536", "1300,1300", "1439,1300", "1440,1440", "9000,1460"})
  void aCookieSaysOneOfFourSegmentSizes(int asked, int told) {
    proxy("");
    send(1, TO_SERVER + "S seq=100 mss=" + asked);
    assertEquals(
        "eth1 S window 500 mss " + told, send(0, TO_SERVER + "A seq=101 ack=isn+1 window=500"));
  }

  /** Seconds from the start to the SYN, and from there to the ACK. */
  @ParameterizedTest
  @CsvSource({
    "1, 0, true",
    "1, 58, true",
    "59, 60, true",
    "59, 61, false",
    "1, 118, true",
    "1, 119, false",
    "1, 15359, false",
    "15359, 1, true"
  })
  void aCookieHoldsUntilTheNextMinuteEnds(double syn, double ack, boolean holds) {
    proxy("--mss 1460");
    send(syn, TO_SERVER + "S seq=100 mss=1460");
    assertEquals(
        holds ? "eth1 S window 64240 mss 1460" : "dropped NETFILTER_DROP nf_hook_slow",
        send(ack, TO_SERVER + "A seq=101 ack=isn+1"));
  }

  @Test
  void whatIsNoCookieIsDropped() {
    proxy("--mss 1460");
    send(1, TO_SERVER + "S seq=100 mss=1460");
    for (String wrong : List.of("A seq=105 ack=isn+1", "A seq=101 ack=isn+5", "A seq=1 ack=1")) {
      assertEquals("dropped NETFILTER_DROP nf_hook_slow", send(0, TO_SERVER + wrong), wrong);
    }
    assertEquals("eth1 S window 64240 mss 1460", send(0, TO_SERVER + "A seq=101 ack=isn+1"));
    // One less is a cookie, too: that of the next smaller segments.
    assertEquals("eth1 S window 64240 mss 1440", send(0, TO_SERVER + "A seq=101 ack=isn"));
  }

  @Test
  void withoutItsRuleAConnectionIsShiftedNoMore() {
    proxy("--mss 1460 --timestamp");
    send(1, TO_SERVER + "S seq=100 mss=1460 timestamps=[5,0]");
    send(0, TO_SERVER + "A seq=101 ack=isn+1 timestamps=[6,last]");
    send(0, TO_CLIENT + "SA seq=7000 ack=101 timestamps=[1000,last]");
    host.replaceRules(IptablesSaveParser.parse("*filter\n-A FORWARD\nCOMMIT\n", "r.v4"));
    String late = send(0, TO_SERVER + "A seq=101 ack=isn+1 timestamps=[7,last]");
    assertEquals("eth1 A window 64240 echo cookie", late);
  }

  @Test
  void onlyWhatTheMachineHasSentCanBeAnswered() {
    proxy("--mss 1460");
    SourceException refused =
        assertThrows(
            SourceException.class, () -> send(0, TO_SERVER + "A seq=101 ack=isn+1 window=500"));
    assertEquals(
        "test:1:1: the machine has sent no SYN 192.168.7.2:80 > 198.51.100.9:4000 before, which"
            + " this packet answers",
        refused.getMessage());
  }

  private final class Told implements HostListener {
    @Override
    public void transmitted(NetDevice dev, SkBuff skb) {
      answers.sent(skb.head, skb.networkHeader, skb.tail);
      int tcp = skb.networkHeader + IpHeader.headerLength(skb);
      SynproxyOptions options = new SynproxyOptions();
      options.parse(skb, tcp);
      StringBuilder text = new StringBuilder(dev.name).append(' ');
      for (int bit = 0; bit < 8; bit++) {
        boolean set = (TcpHeader.flags(skb, tcp) & 1 << bit) != 0;
        text.append(set ? "FSRPAUEC".substring(bit, bit + 1) : "");
      }
      text.append(" window ").append(skb.u16(tcp + TcpHeader.WINDOW_OFFSET));
      text.append(options.has(SynproxyInfo.MSS) ? " mss " + options.mss : "");
      text.append(options.has(SynproxyInfo.SACK_PERM) ? " sack" : "");
      text.append(options.has(SynproxyInfo.WSCALE) ? " scale " + options.windowScale : "");
      if (options.has(SynproxyInfo.TIMESTAMP)) {
        // The machine's own are made of its clock.
        boolean small = options.echo >= 0 && options.echo < 10_000;
        text.append(" echo ").append(small ? Integer.toString(options.echo) : "cookie");
      }
      told.add(text.toString());
    }

    @Override
    public void dropped(SkBuff skb, DropReason reason, String function) {
      told.add("dropped " + reason + " " + function);
    }

    @Override
    public void refused(NetDevice dev, long frame, Refusal refusal) {
      told.add("refused " + refusal);
    }

    @Override
    public void received(Sock sock, SkBuff skb) {
      told.add("received");
    }
  }
}
