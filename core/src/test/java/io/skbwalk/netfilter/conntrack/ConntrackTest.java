// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.OkFunction;
import io.skbwalk.skb.SkBuff;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection table: what Linux 6.18 and conntrack 1.4.7 showed for the same packets. */
class ConntrackTest {
  private static final String CLIENT = "10.1.0.1";
  private static final String SERVER = "192.168.7.2";

  private static SkBuff ask(Machine machine, int port) {
    return machine.udp(CLIENT, port, SERVER, 53, 5);
  }

  private static SkBuff answer(Machine machine, int port) {
    return machine.udp(SERVER, 53, CLIENT, port, 5);
  }

  @Test
  void udpBecomesAStreamAfterTwoSeconds() {
    Machine machine = new Machine("acct=1").listening();
    assertEquals("NEW", machine.send(ask(machine, 1000)));
    assertEquals("ESTABLISHED/reply", machine.send(answer(machine, 1000)));
    assertEquals("ESTABLISHED", machine.send(ask(machine, 1000)));
    machine.pass(2.1);
    machine.send(ask(machine, 1000));
    assertEquals(
        List.of(
            "udp      17 120 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53 packets=3 bytes=99"
                + " src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000 packets=1 bytes=33"
                + " [ASSURED] mark=0 use=1"),
        machine.list());
    machine.pass(120);
    assertEquals(List.of(), machine.list());
    assertEquals(
        List.of(
            "    [NEW] udp      17 30 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53"
                + " [UNREPLIED] src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000",
            " [UPDATE] udp      17 30 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53"
                + " src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000",
            " [UPDATE] udp      17 120 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53"
                + " src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000 [ASSURED]",
            "[DESTROY] udp      17 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53 packets=3"
                + " bytes=99 src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000 packets=1 bytes=33"
                + " [ASSURED]"),
        machine.events);
    assertEquals(0, machine.conntrack.count());
  }

  @Test
  void entriesRunOutAtTheirTickAndNotBefore() {
    Machine machine = new Machine();
    machine.send(ask(machine, 1000));
    machine.pass(29.99);
    assertEquals(1, machine.list().size());
    machine.pass(0.01);
    assertEquals(0, machine.list().size());
  }

  @Test
  void eventsOfTheEndComeAtTheirOwnTime() {
    Machine machine = new Machine("timestamp=1").listening();
    machine.send(ask(machine, 1000));
    // The clock may still stand where the last packet left it.
    machine.conntrack.advanceTo(Machine.START + 100_000_000_000L);
    assertEquals(
        "[DESTROY] udp      17 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53 [UNREPLIED]"
            + " src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000 delta-time=30",
        machine.events.get(1));
    assertEquals(Machine.START + 30_000_000_000L, machine.net.clock.now());
  }

  @Test
  void tcpStatesAreInEventsOnlyWhenTheyChangeOrEnd() {
    Machine machine = new Machine().listening();
    byte[] none = {};
    machine.send(machine.tcp(CLIENT, 1, SERVER, 2, 0x02, 5, 0, 1000, none, 0));
    machine.send(machine.tcp(SERVER, 2, CLIENT, 1, 0x14, 0, 6, 0, none, 0));
    assertEquals(
        List.of(
            "    [NEW] tcp      6 120 SYN_SENT src=10.1.0.1 dst=192.168.7.2 sport=1 dport=2"
                + " [UNREPLIED] src=192.168.7.2 dst=10.1.0.1 sport=2 dport=1",
            "[DESTROY] tcp      6 120 CLOSE src=10.1.0.1 dst=192.168.7.2 sport=1 dport=2"
                + " [UNREPLIED] src=192.168.7.2 dst=10.1.0.1 sport=2 dport=1"),
        machine.events);
  }

  @ParameterizedTest
  @CsvSource({
    // type of the query, of its answer, and what the answer alone is
    "8, 0, INVALID",
    "13, 14, INVALID",
    "15, 16, INVALID",
    "17, 18, INVALID",
  })
  void icmpQueriesAreConnectionsAndAnswersAloneAreNot(int query, int answer, String alone) {
    Machine machine = new Machine();
    byte[] payload = new byte[5];
    assertEquals(
        alone, machine.send(machine.icmp(SERVER, CLIENT, answer, 0, 0x0007_0001, payload)));
    assertEquals("NEW", machine.send(machine.icmp(CLIENT, SERVER, query, 0, 0x0007_0001, payload)));
    assertEquals(
        "ESTABLISHED/reply",
        machine.send(machine.icmp(SERVER, CLIENT, answer, 0, 0x0007_0001, payload)));
    assertEquals(
        "INVALID",
        machine.send(machine.icmp(SERVER, CLIENT, answer, 0, 0x0008_0001, payload)),
        "another identifier");
    assertEquals(
        List.of(
            "icmp     1 30 src=10.1.0.1 dst=192.168.7.2 type="
                + query
                + " code=0 id=7 src=192.168.7.2 dst=10.1.0.1 type="
                + answer
                + " code=0 id=7 mark=0 use=1"),
        machine.list());
  }

  @ParameterizedTest
  @CsvSource({
    // type of the error, quoted bytes, from, to, what it is
    "3, 28, 192.168.7.1, 10.1.0.1, RELATED/reply",
    "11, 28, 203.0.113.9, 10.1.0.1, RELATED/reply",
    "4, 33, 192.168.7.2, 10.1.0.1, RELATED/reply",
    "5, 28, 192.168.7.2, 10.1.0.1, RELATED/reply",
    "12, 24, 192.168.7.2, 10.1.0.1, RELATED/reply",
    "3, 23, 192.168.7.2, 10.1.0.1, INVALID", // the quoted ports are not whole
    "3, 19, 192.168.7.2, 10.1.0.1, INVALID",
    "3, 28, 192.168.7.2, 10.1.0.9, INVALID", // goes to somebody else
  })
  void icmpErrorsAreRelatedToWhatTheyQuote(
      int type, int quoted, String from, String to, String state) {
    Machine machine = new Machine().tracing();
    machine.send(ask(machine, 1000));
    byte[] quote = machine.quote(ask(machine, 1000), quoted);
    assertEquals(state, machine.send(machine.icmp(from, to, type, 1, 0, quote)));
    assertEquals(1, machine.conntrack.count());
  }

  @Test
  void errorsAboutUnknownConnectionsAreInvalid() {
    Machine machine = new Machine();
    byte[] quote = machine.quote(ask(machine, 1000), 28);
    assertEquals("INVALID", machine.send(machine.icmp(SERVER, CLIENT, 3, 3, 0, quote)));
  }

  @Test
  void anUnconfirmedEntryVanishesWithItsPacket() {
    Machine machine = new Machine().listening();
    SkBuff skb = ask(machine, 1000);
    machine.netfilter.hook(Hook.PRE_ROUTING, skb, null, null, packet -> {});
    assertEquals(1, machine.conntrack.count());
    assertEquals(0, machine.conntrack.first());
    machine.net.skbs.consume(skb);
    assertEquals(0, machine.conntrack.count());
    assertEquals(List.of(), machine.events);
  }

  @Test
  void zonesKeepConnectionsApart() {
    Machine machine = new Machine("acct=1");
    for (int directions : new int[] {3, 1, 2}) {
      int template = machine.conntrack.allocateTemplate(4 + directions, directions, false);
      SkBuff skb = ask(machine, 1000);
      machine.conntrack.set(skb, template, ConntrackInfo.IP_CT_NEW);
      assertEquals("NEW", machine.send(skb));
    }
    assertEquals(
        List.of(
            "udp      17 30 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53 packets=1 bytes=33"
                + " [UNREPLIED] src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000 packets=0"
                + " bytes=0 mark=0 zone=7 use=1",
            "udp      17 30 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53 zone-orig=5"
                + " packets=1 bytes=33 [UNREPLIED] src=192.168.7.2 dst=10.1.0.1 sport=53"
                + " dport=1000 packets=0 bytes=0 mark=0 use=1",
            "udp      17 30 src=10.1.0.1 dst=192.168.7.2 sport=1000 dport=53 packets=1 bytes=33"
                + " [UNREPLIED] src=192.168.7.2 dst=10.1.0.1 sport=53 dport=1000 zone-reply=6"
                + " packets=0 bytes=0 mark=0 use=1"),
        machine.list());
    // The reply of zone-orig lies in zone 0, as does an answer without a template.
    assertEquals("ESTABLISHED/reply", machine.send(answer(machine, 1000)));
  }

  @Test
  void aReplyOutsideTheReplyZoneClashesAndIsDropped() {
    Machine machine = new Machine();
    SkBuff skb = ask(machine, 1000);
    machine.conntrack.set(
        skb,
        machine.conntrack.allocateTemplate(7, Conntrack.ZONE_DIR_REPLY, false),
        ConntrackInfo.IP_CT_NEW);
    machine.send(skb);
    assertEquals("dropped", machine.send(answer(machine, 1000)));
  }

  @Test
  void theZoneMayBeTheMark() {
    Machine machine = new Machine();
    SkBuff skb = ask(machine, 1000);
    skb.mark = 0x10009;
    machine.conntrack.set(
        skb,
        machine.conntrack.allocateTemplate(0, Conntrack.ZONE_DIR_BOTH, true),
        ConntrackInfo.IP_CT_NEW);
    machine.send(skb);
    assertEquals(9, machine.conntrack.zone(machine.conntrack.first(), ConntrackInfo.REPLY));
  }

  @Test
  void untrackedPacketsMakeNoEntry() {
    Machine machine = new Machine();
    SkBuff skb = ask(machine, 1000);
    machine.conntrack.untrack(skb);
    assertEquals("UNTRACKED", machine.send(skb));
    assertEquals(0, machine.conntrack.count());
  }

  @Test
  void marksAreEvents() {
    Machine machine = new Machine().listening();
    machine.forward = skb -> machine.conntrack.setMark(skb.ct, 31);
    machine.send(ask(machine, 1000));
    machine.forward = skb -> machine.conntrack.setMark(skb.ct, 0);
    machine.send(answer(machine, 1000));
    machine.send(answer(machine, 1000));
    assertEquals(2, machine.events.size());
    assertTrue(machine.events.get(0).endsWith("sport=53 dport=1000 mark=31"));
    assertTrue(machine.events.get(1).endsWith("sport=53 dport=1000 mark=0"));
  }

  @Test
  void anAgeIsCountedInSecondsThatHaveBegun() {
    Machine machine = new Machine("timestamp=1");
    machine.pass(0.9);
    machine.send(ask(machine, 1000));
    assertTrue(machine.list().get(0).endsWith(" mark=0 delta-time=0 use=1"));
    machine.pass(0.2);
    assertTrue(machine.list().get(0).endsWith(" mark=0 delta-time=1 use=1"));
    machine.pass(0.8);
    assertTrue(machine.list().get(0).endsWith(" mark=0 delta-time=1 use=1"));
  }

  @Test
  void securityMarksArePrintedAsContexts() {
    Machine machine = new Machine().listening();
    machine.send(ask(machine, 999));
    assertTrue(machine.list().get(0).endsWith(" dport=999 mark=0 use=1"), "without SELinux");
    machine.conntrack.setSecurityContexts(List.of("system_u:object_r:dns_client_packet_t:s0"));
    machine.forward = skb -> machine.conntrack.setSecmark(skb.ct, 1);
    machine.send(ask(machine, 1000));
    machine.forward = skb -> {};
    String context = " secctx=system_u:object_r:dns_client_packet_t:s0";
    assertTrue(machine.events.get(1).endsWith(" dport=1000" + context), machine.events.get(1));
    assertTrue(machine.list().get(1).endsWith(" mark=0" + context + " use=1"), "its own");
    String unlabeled = " mark=0 secctx=system_u:object_r:unlabeled_t:s0 use=1";
    assertTrue(machine.list().get(0).endsWith(unlabeled), machine.list().get(0));
    machine.pass(40);
    assertTrue(machine.events.get(3).endsWith(" dport=1000"), machine.events.get(3));
  }

  @Test
  void aClashOfTheSameUdpConnectionGoesOverToTheFirst() {
    Machine machine = new Machine("acct=1");
    machine.forward =
        skb -> {
          machine.forward = ignored -> {};
          machine.send(ask(machine, 1000));
        };
    machine.send(ask(machine, 1000));
    assertEquals(1, machine.conntrack.count());
    assertTrue(machine.list().get(0).contains("packets=2 bytes=66"), machine.list().get(0));
  }

  @Test
  void aClashInTheOriginalDirectionLivesForItsReplyOnly() {
    Machine machine = new Machine();
    ConntrackTuple reply = new ConntrackTuple();
    machine.forward =
        skb -> {
          machine.forward = ignored -> {};
          machine.send(ask(machine, 1000));
          machine.conntrack.tuple(skb.ct, ConntrackInfo.REPLY, reply);
          reply.destinationPort = 1001;
          assertFalse(machine.conntrack.tupleTaken(reply, skb.ct));
          machine.conntrack.setReplyTuple(skb.ct, reply);
        };
    machine.send(ask(machine, 1000));
    assertEquals(2, machine.conntrack.count());
    assertEquals(1, machine.list().size(), "hidden from listings");
    assertEquals("ESTABLISHED/reply", machine.send(answer(machine, 1001)));
    machine.pass(1.01);
    assertEquals(1, machine.conntrack.count());
  }

  @Test
  void aClashingTcpConnectionLosesItsPacket() {
    Machine machine = new Machine();
    byte[] none = {};
    machine.forward =
        skb -> {
          machine.forward = ignored -> {};
          machine.send(machine.tcp(CLIENT, 1, SERVER, 2, 0x02, 5, 0, 1000, none, 0));
        };
    assertEquals(
        "dropped", machine.send(machine.tcp(CLIENT, 1, SERVER, 2, 0x02, 5, 0, 1000, none, 0)));
    assertEquals(1, machine.conntrack.count());
  }

  @Test
  void natFindsTakenTuplesAndSources() {
    Machine machine = new Machine();
    machine.send(ask(machine, 1000));
    int first = machine.conntrack.first();
    ConntrackTuple reply = new ConntrackTuple();
    machine.conntrack.tuple(first, ConntrackInfo.REPLY, reply);
    machine.forward =
        skb -> {
          assertTrue(machine.conntrack.tupleTaken(reply, skb.ct));
          machine.conntrack.linkBySource(skb.ct);
          machine.conntrack.addStatus(skb.ct, ConntrackStatus.IPS_SRC_NAT_DONE);
        };
    machine.send(machine.udp(CLIENT, 1002, SERVER, 53, 1));
    machine.send(machine.udp(CLIENT, 1002, SERVER, 54, 1));
    int newest = machine.conntrack.firstBySource(17, Ip4.parse(CLIENT), 1002, 0);
    assertEquals(54, machine.conntrack.destinationPort(newest, ConntrackInfo.ORIGINAL));
    int older = machine.conntrack.nextBySource(newest);
    assertEquals(53, machine.conntrack.destinationPort(older, ConntrackInfo.ORIGINAL));
    assertEquals(0, machine.conntrack.nextBySource(older));
    machine.conntrack.delete(newest);
    assertEquals(older, machine.conntrack.firstBySource(17, Ip4.parse(CLIENT), 1002, 0));
    assertThrows(IllegalStateException.class, () -> machine.conntrack.setReplyTuple(first, reply));
  }

  @Test
  void aFullTableDropsNewConnectionsButNotKnownOnes() {
    Machine machine = new Machine("max=3").tracing();
    for (int port = 1; port <= 3; port++) {
      assertEquals("NEW", machine.send(ask(machine, port)));
    }
    int dropped = 0;
    for (int port = 4; port < 40; port++) {
      dropped += machine.send(ask(machine, port)).equals("dropped") ? 1 : 0;
      assertEquals(3, machine.conntrack.count());
    }
    // With 262144 chains, hardly a new one finds a neighbour to take the place of.
    assertTrue(dropped >= 35);
    assertTrue(machine.steps.contains("conntrack: table full, dropping packet"));
  }

  @Test
  void aFullTableOfFewChainsDropsEntriesThatAreNotAssured() {
    Machine machine = new Machine("max=3", "buckets=4");
    for (int port = 1; port < 40; port++) {
      assertEquals("NEW", machine.send(ask(machine, port)), "port " + port);
      assertTrue(machine.conntrack.count() <= 3);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tcp_loose=2",
        "checksum=2",
        "acct=-1",
        "events=3",
        "log_invalid=256",
        "tcp_max_retrans=256",
        "udp_timeout=8589935"
      })
  void sysctlsRefuseWhatTheKernelRefuses(String setting) {
    assertThrows(IllegalArgumentException.class, () -> new Machine(setting));
  }

  @Test
  void growsTenThousandfoldAndShrinksToNothing() {
    Machine machine = new Machine();
    Random random = new Random(7);
    int entries = 60_000;
    for (int i = 0; i < entries; i++) {
      machine.send(machine.udp("10.2." + (i >>> 8 & 255) + "." + (i & 255), i, SERVER, 53, 1));
      if (random.nextInt(500) == 0) {
        machine.pass(random.nextDouble() / 10);
      }
    }
    assertEquals(entries, machine.conntrack.count());
    for (int i = 0; i < entries; i += 77) {
      String address = "10.2." + (i >>> 8 & 255) + "." + (i & 255);
      assertEquals("ESTABLISHED/reply", machine.send(machine.udp(SERVER, 53, address, i, 1)));
    }
    machine.pass(200);
    assertEquals(0, machine.conntrack.count());
  }

  @Test
  void noAllocationPerPacket() {
    Machine machine = new Machine("acct=1");
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long thread = Thread.currentThread().getId();
    byte[] none = {};
    byte[] quoted = new byte[0];
    SkBuff[] packets = {
      machine.tcp(CLIENT, 1, SERVER, 2, 0x02, 5, 0, 1000, none, 0),
      machine.tcp(SERVER, 2, CLIENT, 1, 0x12, 9, 6, 1000, none, 0),
      machine.tcp(CLIENT, 1, SERVER, 2, 0x10, 6, 10, 1000, none, 100),
      machine.tcp(CLIENT, 1, SERVER, 2, 0x10, 900_000, 10, 1000, none, 100),
      machine.udp(CLIENT, 1000, SERVER, 53, 5),
      machine.udp(SERVER, 53, CLIENT, 1000, 5),
      machine.icmp(CLIENT, SERVER, 8, 0, 7, quoted),
      machine.icmp(SERVER, CLIENT, 3, 3, 0, machine.quote(ask(machine, 1000), 28)),
      machine.ip(CLIENT, SERVER, 50, new byte[20]),
    };
    OkFunction out = skb -> {};
    OkFunction forward = skb -> machine.netfilter.hook(Hook.POST_ROUTING, skb, null, null, out);
    long before = 0;
    int rounds = 4000;
    for (int round = -1000; round < rounds; round++) {
      if (round == 0) {
        before = threads.getThreadAllocatedBytes(thread);
      }
      for (SkBuff skb : packets) {
        machine.netfilter.hook(Hook.PRE_ROUTING, skb, null, null, forward);
        machine.conntrack.put(skb);
        skb.ipSummed = SkBuff.CHECKSUM_NONE;
      }
      machine.net.clock.advanceTo(machine.net.clock.now() + 40_000_000_000L);
      machine.conntrack.advanceTo(machine.net.clock.now());
    }
    long bytes = threads.getThreadAllocatedBytes(thread) - before;
    assertTrue(bytes < 2L * rounds, bytes + " bytes for " + rounds * packets.length + " packets");
  }
}
