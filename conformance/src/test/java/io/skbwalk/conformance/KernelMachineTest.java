// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Interface;
import io.skbwalk.host.HostDescription.Neighbour;
import io.skbwalk.host.HostDescription.Socket;
import io.skbwalk.host.HostDescription.SocketKind;
import io.skbwalk.language.FrameBuilder;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.skb.PacketSummary;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The kernel's side on its own: what it does is seen. */
class KernelMachineTest {
  private static final int OURS = Ip4.parse("203.0.113.1");
  private static final int PEER = Ip4.parse("203.0.113.9");
  private static final long OUR_MAC = Mac.parse("02:00:00:00:00:01");
  private static final long PEER_MAC = Mac.parse("02:00:cb:00:71:09");

  private static final HostDescription HOST =
      new HostDescription(
          "host",
          List.of(
              new Interface(
                  "eth0", OUR_MAC, List.of(new Address(OURS, 24)), 1500, true, 256, null, 0)),
          List.of(),
          List.of(),
          List.of(new Neighbour(PEER, PEER_MAC, "eth0")),
          false,
          Map.of(),
          List.of(new Socket(SocketKind.UDP, 0, 53, 0, null, 0)));

  @BeforeAll
  static void kernel() {
    AskedKernel.orSkip();
  }

  private static FrameBuilder frame() {
    return new FrameBuilder(OUR_MAC, PEER_MAC).ip(PEER, OURS);
  }

  private static Outcome run(String rules, FrameBuilder... frames) throws IOException {
    return KernelMachine.run(
        new Scenario(
            "test",
            HOST,
            rules,
            java.util.stream.Stream.of(frames)
                .map(frame -> new Scenario.Step("eth0", frame.frame(), ""))
                .toList()));
  }

  @Test
  void anEchoRequestIsAnsweredInItsOwnStep() throws IOException {
    Outcome outcome = run("", frame().udp(1, 53), frame().icmp(8, 0, 0x10002), frame().udp(1, 53));
    assertEquals(
        List.of(0, 1, 0), outcome.steps().stream().map(step -> step.sent().size()).toList());
    byte[] answer = outcome.steps().get(1).sent().get(0).frame();
    String summary = PacketSummary.ofFrame(answer, 0, answer.length);
    assertTrue(summary.contains("203.0.113.1 > 203.0.113.9 echo reply"), summary);
    assertEquals(List.of(), outcome.steps().get(1).drops());
  }

  @Test
  void aDropIsSeenWithItsReasonAndFunction() throws IOException {
    Outcome outcome = run("", frame().icmp(8, 0, 1), frame().icmp(8, 0, 1).ipChecksum(1));
    assertEquals(
        List.of(List.of(), List.of("IP_CSUM ip_rcv_core")),
        outcome.steps().stream().map(StepOutcome::drops).toList());
  }

  @Test
  void rulesCountAndConnectionsAreListedWithTheirEvents() throws IOException {
    String rules =
        """
        *filter
        :INPUT ACCEPT [0:0]
        -A INPUT -m conntrack --ctstate NEW -j DROP -p udp --dport 99
        COMMIT
        """;
    Outcome outcome = run(rules, frame().udp(7, 99), frame().udp(7, 53), frame().udp(7, 53));
    assertTrue(
        outcome.counters().contains(":INPUT ACCEPT [2:56]")
            && outcome.counters().stream().anyMatch(line -> line.startsWith("[1:28] -A INPUT")),
        outcome.counters()::toString);
    assertEquals(List.of("NETFILTER_DROP nf_hook_slow"), outcome.steps().get(0).drops());
    assertEquals(1, outcome.conntrack().size(), outcome.conntrack()::toString);
    assertTrue(
        outcome.conntrack().get(0).contains("src=203.0.113.9 dst=203.0.113.1 sport=7 dport=53"),
        outcome.conntrack()::toString);
    assertEquals(1, outcome.events().size(), outcome.events()::toString);
    assertTrue(outcome.events().get(0).startsWith("[NEW] udp"), outcome.events()::toString);
  }

  @Test
  void aSocketCountsWhatItReceived() throws IOException {
    Outcome outcome = run("", frame().udp(7, 53).payload(new byte[5]), frame().udp(7, 53));
    assertEquals(List.of("UDP 0.0.0.0:53 protocol 0: 2 received, 5 bytes"), outcome.sockets());
  }

  @Test
  void machinesKnowNothingOfEachOther() throws IOException {
    String rules = "*filter\n:INPUT DROP [0:0]\nCOMMIT\n";
    assertEquals(0, run(rules, frame().icmp(8, 0, 1)).steps().get(0).sent().size());
    assertEquals(1, run("", frame().icmp(8, 0, 1)).steps().get(0).sent().size());
  }
}
