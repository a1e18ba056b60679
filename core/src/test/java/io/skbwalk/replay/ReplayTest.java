// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.capture.CaptureMerger;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ReplayTest {
  private static final HostDescription ROUTER =
      HostFile.parse(
              "router.yaml",
              """
              interfaces:
                eth0:
                  macaddress: "02:00:00:00:00:01"
                  addresses: [203.0.113.1/24]
                eth1:
                  macaddress: "02:00:00:00:01:01"
                  addresses: [192.168.7.1/24]
              routes:
                - {to: default, via: 203.0.113.254}
              neighbours:
                - {address: 192.168.7.2, macaddress: "02:00:00:00:07:02", interface: eth1}
                - {address: 203.0.113.254, macaddress: "02:00:00:00:00:fe", interface: eth0}
              sysctls:
                net.ipv4.ip_forward: 1
              sockets:
                - {protocol: tcp, port: 22}
                - {raw: true, protocol: icmp}
              """)
          .description();

  private static final RuleSet RULES =
      RulesFile.parse(
          "rules.v4",
          """
          *filter
          :INPUT ACCEPT [0:0]
          :FORWARD ACCEPT [0:0]
          :OUTPUT ACCEPT [0:0]
          -A INPUT -p tcp -m tcp --dport 99 -j REJECT --reject-with tcp-reset
          -A INPUT -p udp -m udp --dport 98 -j DROP
          -A OUTPUT -p icmp -m icmp --icmp-type 0 -d 198.51.100.66 -j DROP
          -A FORWARD -m conntrack --ctstate INVALID -j DROP
          COMMIT
          """);

  private final List<FrameRecord> records = new ArrayList<>();

  private Replay replay(Replay.Answers answers) {
    Replay replay = new Replay(new Host(ROUTER, RULES, 0, 1), true, answers, null, null);
    replay.add(records::add);
    return replay;
  }

  /** The fate of one frame; a raw ICMP socket gets copies of all ICMP. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "eth0 tcp 198.51.100.9:1025 > 192.168.7.2:80 S      | forwarded |",
        "eth0 tcp 198.51.100.9:1025 > 203.0.113.1:22 S      | delivered |",
        "eth0 tcp 198.51.100.9:1025 > 203.0.113.1:23 S      | dropped   | NO_SOCKET tcp_v4_rcv",
        "eth0 tcp 198.51.100.9:1025 > 203.0.113.1:99 S      | dropped   | NETFILTER_DROP"
            + " nf_hook_slow",
        "eth0 udp 198.51.100.9:1025 > 203.0.113.1:98        | dropped   | NETFILTER_DROP"
            + " nf_hook_slow",
        "eth0 tcp 198.51.100.9:1025 > 192.168.7.2:80 S ttl=1 | dropped   | IP_INHDR ip_forward",
        "eth0 icmp 198.51.100.9 > 203.0.113.1               | delivered |",
      })
  void givesAFrameItsFate(String packet, String fate, String drop) {
    Replay replay = replay(Replay.Answers.STACK);
    replay.runTyped(List.of(TypedPacket.parse("test", packet, ROUTER)));
    replay.finish();
    FrameRecord record = records.get(0);
    assertEquals(fate, record.fate.label);
    assertEquals(drop, record.reason == null ? null : record.reason + " " + record.at);
    assertEquals(1, replay.totals.of(record.fate));
  }

  @ParameterizedTest
  @CsvSource({"STACK, 1, 0", "CAPTURE, 0, 1"})
  void sendsItsAnswersOrHoldsThemBack(Replay.Answers answers, int sent, int withheld) {
    Host host = new Host(ROUTER, null, 0, 1);
    Replay replay = new Replay(host, true, answers, null, null);
    replay.runTyped(
        List.of(TypedPacket.parse("test", "eth0 tcp 198.51.100.9:1 > 203.0.113.1:23 S", ROUTER)));
    assertEquals(sent, replay.totals.left);
    assertEquals(withheld, host.net().withheld);
    assertEquals(1, replay.totals.of(Fate.DROPPED));
  }

  @Test
  void givesAPacketThatWaitsForItsNeighbourTheFateThatItMeets() {
    Replay replay = replay(Replay.Answers.STACK);
    // Nobody tells who 192.168.7.3 is: three requests, then it is lost and host unreachable sent.
    replay.runTyped(
        List.of(
            TypedPacket.parse("test", "eth0 tcp 198.51.100.9:1 > 192.168.7.3:80 S", ROUTER),
            TypedPacket.parse("test", "eth0 tcp 198.51.100.9:1 > 192.168.7.2:80 S", ROUTER)));
    assertEquals(1, replay.totals.of(Fate.CONSUMED));
    assertEquals(0, records.size(), "held back until the first has its fate");
    replay.host().advanceTo(10_000_000_000L);
    replay.finish();
    assertEquals(0, replay.totals.of(Fate.CONSUMED));
    assertEquals(Fate.DROPPED, records.get(0).fate);
    assertEquals(Fate.FORWARDED, records.get(1).fate);
  }

  @Test
  void handlesFramesOfOneTimeAsOneAfterTheOther(@TempDir Path folder) throws IOException {
    List<String> together = told(folder.resolve("together.pcap"), 0);
    List<String> apart = told(folder.resolve("apart.pcap"), 1);
    assertEquals(apart, together);
    assertEquals(300, together.size());
  }

  private List<String> told(Path file, long apart) {
    long[] time = {1_000_000_000L};
    capture(file, 300, () -> time[0] += apart);
    records.clear();
    Replay replay = replay(Replay.Answers.STACK);
    try (CaptureMerger merger = new CaptureMerger(List.of(CaptureReader.open(file)))) {
      replay.run(merger, java.util.Collections.singletonList(null));
    }
    replay.finish();
    return records.stream()
        .map(
            record ->
                record.number
                    + " "
                    + record.device
                    + " "
                    + record.fate
                    + " "
                    + record.reason
                    + " "
                    + record.state
                    + " "
                    + record.rules
                    + " "
                    + record.outs.stream().map(out -> out.device() + "#" + out.index()).toList())
        .toList();
  }

  private static void capture(Path file, int frames, java.util.function.LongSupplier clock) {
    String[] packets = {
      "eth0 tcp 198.51.100.9:1025 > 192.168.7.2:80 S",
      "eth0 tcp 198.51.100.9:1025 > 203.0.113.1:22 S",
      "eth1 udp 192.168.7.2:1025 > 198.51.100.9:53",
      "eth0 tcp 198.51.100.9:1025 > 203.0.113.1:99 S",
      "eth0 udp 198.51.100.9:53 > 192.168.7.2:1025",
    };
    List<byte[]> bytes = new ArrayList<>();
    for (String packet : packets) {
      bytes.add(TypedPacket.parse("test", packet, ROUTER).bytes());
    }
    try (CaptureWriter writer = CaptureWriter.pcap(file, LinkType.ETHERNET)) {
      for (int i = 0; i < frames; i++) {
        writer.write(0, clock.getAsLong(), bytes.get(i * 7 / 3 % bytes.size()));
      }
    }
  }

  @Test
  void allocatesNothingPerFrame(@TempDir Path folder) {
    long few = allocated(folder.resolve("few.pcap"), 2_000);
    long many = allocated(folder.resolve("many.pcap"), 42_000);
    assertTrue(
        many - few < 100_000, () -> "40,000 frames more allocate " + (many - few) + " bytes more");
  }

  private static long allocated(Path file, int frames) {
    long[] time = {1_000_000_000L};
    capture(file, frames, () -> time[0] += 20_000);
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long me = Thread.currentThread().getId();
    Replay replay =
        new Replay(new Host(ROUTER, RULES, 0, 1), true, Replay.Answers.CAPTURE, null, null);
    try (CaptureMerger merger = new CaptureMerger(List.of(CaptureReader.open(file)))) {
      long before = threads.getThreadAllocatedBytes(me);
      replay.run(merger, java.util.Collections.singletonList(null));
      long after = threads.getThreadAllocatedBytes(me);
      assertEquals(frames, replay.totals.frames);
      return after - before;
    }
  }
}
