// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostListener;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.SourceException;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.PacketSummary;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.transport.Sock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Targets that need a whole machine: programs on queues, copies, transparent sockets, contexts. */
class TargetsTest {
  private static final HostDescription ROUTER =
      HostFile.parse(
              "host.yaml",
              """
              interfaces:
                eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
                eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
              routes:
                - {to: default, via: 203.0.113.254}
                - {to: default, type: local, interface: lo, table: 100}
              routing-policy:
                - {mark: 1, table: 100, priority: 1000}
              assume-neighbours: true
              sysctls: {net.ipv4.ip_forward: 1}
              sockets:
                - {protocol: udp, port: 53}
                - {protocol: udp, port: 5300, transparent: true}
              queues:
                1: accept
                2: drop
                3: {answer: repeat, mark: 7}
                4: stop
                5: {answer: queue, to: 1}
                6: {answer: queue, to: 9}
                8: repeat
              security-contexts: [known_t, other_t]
              """)
          .description();

  private static final String INSIDE = "eth0 udp 198.51.100.9:1000 > 192.168.7.2:53";

  private final List<String> told = new ArrayList<>();

  /** What becomes of {@code packet} under {@code rules}, each with its table before it. */
  private List<String> send(String rules, String... packets) {
    StringBuilder text = new StringBuilder();
    for (String rule : rules.split(";")) {
      String[] words = rule.strip().split(" ", 2);
      text.append('*').append(words[0]).append('\n').append(words[1]).append("\nCOMMIT\n");
    }
    Host host = new Host(ROUTER, IptablesSaveParser.parse(text.toString(), "rules.v4"), 0, 1);
    host.setListener(new Told());
    for (String packet : packets) {
      byte[] frame = TypedPacket.parse("packet", packet, ROUTER).bytes();
      host.receive(host.device(packet.substring(0, 4)), frame, 0, null);
    }
    return told;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--queue-num 1                | sent on eth1",
        "--queue-num 2                | dropped NOT_SPECIFIED nfqnl_reinject",
        "--queue-num 9                | dropped NOT_SPECIFIED nf_queue",
        "--queue-num 9 --queue-bypass | dropped NETFILTER_DROP nf_hook_slow",
        "--queue-num 2 --queue-bypass | dropped NOT_SPECIFIED nfqnl_reinject",
        "--queue-num 4                | sent on eth1",
        "--queue-num 5                | sent on eth1",
        "--queue-num 6                | dropped NOT_SPECIFIED nf_queue",
        "--queue-num 8                | dropped NOT_SPECIFIED nfqnl_reinject",
        "--queue-balance 1:2 --queue-cpu-fanout | sent on eth1",
      })
  void aProgramsAnswerDecides(String options, String fate) {
    String then =
        fate.contains("nf_hook_slow") || options.contains("4") ? "; filter -P FORWARD DROP" : "";
    assertEquals(List.of(fate), send("mangle -A FORWARD -j NFQUEUE " + options + then, INSIDE));
  }

  @Test
  void whatAProgramAcceptedALaterTableMayDropForIt() {
    assertEquals(
        List.of("dropped NOT_SPECIFIED nfqnl_reinject"),
        send("mangle -A FORWARD -j NFQUEUE --queue-num 1; filter -P FORWARD DROP", INSIDE));
  }

  @Test
  void aProgramMayHaveTheChainTriedAgainWithAnotherMark() {
    assertEquals(
        List.of("dropped NOT_SPECIFIED nfqnl_reinject"),
        send(
            "mangle -A FORWARD -m mark --mark 0 -j NFQUEUE --queue-num 3;"
                + " filter -A FORWARD -m mark --mark 7 -j DROP",
            INSIDE));
  }

  @Test
  void bothDirectionsOfAFlowGoToTheSameQueue() {
    String rules = "filter -A FORWARD -j NFQUEUE --queue-balance 1:2";
    String there = send(rules, INSIDE).get(0).substring(0, 4);
    told.clear();
    String back = send(rules, "eth1 udp 192.168.7.2:53 > 198.51.100.9:1000").get(0);
    assertEquals(there, back.substring(0, 4));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mangle -A PREROUTING -j TEE --gateway 192.168.7.3              | sent on eth1",
        "mangle -A FORWARD -j TEE --gateway 10.1.2.3                    | sent on eth0",
        "mangle -A FORWARD -j TEE --gateway 10.1.2.3 --oif eth1         | sent on eth1",
        "mangle -A POSTROUTING -j TEE --gateway 192.168.7.3             | sent on eth1",
      })
  void aCopyLeavesFirst(String rules, String copy) {
    assertEquals(List.of(copy, "sent on eth1"), send(rules, INSIDE));
  }

  @Test
  void aTransparentSocketGetsWhatIsForOthers() {
    String rules = "mangle -A PREROUTING -p udp -j TPROXY --on-port 5300 --tproxy-mark 1";
    assertEquals(List.of("received udp 0.0.0.0:5300"), send(rules, INSIDE));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--on-port 53 --tproxy-mark 1 | dropped NETFILTER_DROP nf_hook_slow",
        "--on-port 54 --tproxy-mark 1 | dropped NETFILTER_DROP nf_hook_slow",
        "--on-port 5300               | dropped NOT_SPECIFIED ip_forward",
      })
  void withoutTransparentSocketOrRouteThePacketIsLost(String options, String fate) {
    String rules = "mangle -A PREROUTING -p udp -j TPROXY " + options;
    assertEquals(List.of(fate), send(rules, INSIDE));
  }

  @Test
  void aContextThatThePolicyDoesNotKnowIsRefused() {
    SourceException refused =
        assertThrows(
            SourceException.class,
            () -> send("mangle -A FORWARD -j SECMARK --selctx unknown_t", INSIDE));
    assertEquals(
        "rules.v4:2:1: SECMARK: the policy does not know the context unknown_t",
        refused.getMessage());
  }

  @Test
  void aConnectionKeepsTheFirstContextAndGivesItBack() {
    Host host =
        new Host(
            ROUTER,
            IptablesSaveParser.parse(
                """
                *mangle
                -A FORWARD -i eth0 -j SECMARK --selctx other_t
                -A FORWARD -i eth0 -j CONNSECMARK --save
                -A FORWARD -i eth0 -j SECMARK --selctx known_t
                -A FORWARD -i eth0 -j CONNSECMARK --save
                -A FORWARD -i eth1 -j CONNSECMARK --restore
                COMMIT
                """,
                "rules.v4"),
            0,
            1);
    int[] marks = new int[2];
    host.setListener(
        new HostListener() {
          @Override
          public void transmitted(NetDevice dev, SkBuff skb) {
            marks[dev.name.equals("eth0") ? 1 : 0] = skb.secmark;
          }
        });
    for (String packet : new String[] {INSIDE, "eth1 udp 192.168.7.2:53 > 198.51.100.9:1000"}) {
      byte[] frame = TypedPacket.parse("packet", packet, ROUTER).bytes();
      host.receive(host.device(packet.substring(0, 4)), frame, 0, null);
    }
    assertEquals(List.of(1, 2), List.of(marks[0], marks[1]));
  }

  private final class Told implements HostListener {
    @Override
    public void transmitted(NetDevice dev, SkBuff skb) {
      if (PacketSummary.ofFrame(skb.head, skb.data, skb.length()).startsWith("UDP")) {
        told.add("sent on " + dev.name);
      }
    }

    @Override
    public void dropped(SkBuff skb, DropReason reason, String function) {
      told.add("dropped " + reason + " " + function);
    }

    @Override
    public void received(Sock sock, SkBuff skb) {
      told.add("received " + sock);
    }
  }
}
