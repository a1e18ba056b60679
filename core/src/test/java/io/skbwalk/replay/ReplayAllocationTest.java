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
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.netfilter.tables.RuleSet;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * From the file to the far wire nothing is allocated per packet, with many kinds of work at once:
 * rules of four tables, matches and targets with memory, a queue, tracking with counters and
 * helpers, a DNAT and a masquerade in both directions.
 */
class ReplayAllocationTest {
  private static final HostDescription ROUTER =
      HostFile.parse(
              "router.yaml",
              """
              interfaces:
                eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
                eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
              routes:
                - {to: default, via: 203.0.113.254}
              assume-neighbours: true
              sysctls:
                net.ipv4.ip_forward: 1
                net.netfilter.nf_conntrack_acct: 1
              queues:
                7: {answer: accept, mark: 1}
              ipsets:
                peers: {type: "hash:net", counters: true, members: [192.168.7.0/24, 198.51.100.0/24]}
              """)
          .description();

  private static final RuleSet RULES =
      RulesFile.parse(
          "rules.v4",
          """
          *raw
          :PREROUTING ACCEPT [0:0]
          -A PREROUTING -s 10.0.0.0/8 -i eth0 -j DROP
          -A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j CT --helper ftp
          -A PREROUTING -i eth1 -p udp -m udp --dport 53 -j CT --helper sip
          COMMIT
          *mangle
          :FORWARD ACCEPT [0:0]
          -A PREROUTING -m rpfilter --validmark --invert
          -A PREROUTING -m socket --nowildcard --restore-skmark
          -A POSTROUTING -m owner ! --uid-owner 33
          -A FORWARD -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1/0xffffffff
          -A FORWARD -m mark --mark 0x1 -j CONNMARK --save-mark
          -A FORWARD -m hashlimit --hashlimit-upto 100/sec --hashlimit-mode srcip,dstport --hashlimit-name each
          -A FORWARD -m connbytes --connbytes 10 --connbytes-dir both --connbytes-mode packets
          -A FORWARD -m connlimit --connlimit-upto 20 --connlimit-mask 24 --connlimit-saddr
          -A FORWARD -m quota --quota 100000
          -A FORWARD -m string --string "GET" --algo bm
          -A FORWARD -m string --hex-string "|00 01|x" --algo kmp --icase
          -A FORWARD -m u32 --u32 "6 & 0xff = 6 && 0 >> 22 & 0x3c @ 12 >> 26 & 0x3c @ 0 = 0:255"
          -A FORWARD -m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"
          -A FORWARD -m time --timestart 08:00 --timestop 18:00 --weekdays Mon,Tue
          -A FORWARD -m statistic --mode random --probability 0.5
          -A FORWARD -m recent --set --name seen --rsource
          -A FORWARD -m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1
          -A FORWARD -p tcp -m tcpmss --mss 1000:1460
          -A FORWARD -m set --match-set peers src
          -A FORWARD -m helper --helper ftp
          -A FORWARD -j HMARK --hmark-tuple src,dst --hmark-mod 8 --hmark-rnd 1
          -A FORWARD -p tcp -j TCPOPTSTRIP --strip-options timestamp
          -A FORWARD -j CLASSIFY --set-class 1:1
          -A FORWARD -j RATEEST --rateest-name all --rateest-interval 250ms --rateest-ewma 500ms
          -A FORWARD -m rateest --rateest all --rateest-gt --rateest-bps 1bit
          -A FORWARD -j NFLOG --nflog-group 3
          -A FORWARD -j NFQUEUE --queue-num 7
          COMMIT
          *nat
          :PREROUTING ACCEPT [0:0]
          :POSTROUTING ACCEPT [0:0]
          -A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.7.80:80
          -A POSTROUTING -s 192.168.7.0/24 -o eth0 -j MASQUERADE
          COMMIT
          *filter
          :FORWARD DROP [0:0]
          -A FORWARD -m conntrack --ctstate INVALID -j DROP
          -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
          -A FORWARD -m conntrack --ctstate NEW -j ACCEPT
          COMMIT
          """);

  private static final String[] OPENING = {
    "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 S seq=1000 window=60000",
    "eth1 tcp 192.168.7.80:80 > 198.51.100.9:40000 SA seq=5000 ack=1001 window=60000",
    "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 A seq=1001 ack=5001 window=60000",
  };

  private static final String[] AGAIN_AND_AGAIN = {
    "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 PA seq=1001 ack=5001 window=60000"
        + " payload=hello",
    "eth1 tcp 192.168.7.80:80 > 198.51.100.9:40000 PA seq=5001 ack=1006 window=60000 payload=hi",
    "eth1 udp 192.168.7.2:1025 > 198.51.100.9:53 payload=question",
    "eth0 udp 198.51.100.9:53 > 203.0.113.1:1025 payload=answer",
    "eth1 icmp 192.168.7.2 > 198.51.100.9",
  };

  @Test
  void nothingAPacket(@TempDir Path folder) {
    Path first = folder.resolve("first.pcap");
    Path second = folder.resolve("second.pcap");
    write(first, Clock.SECOND, OPENING, 20_000);
    write(second, 3 * Clock.SECOND, new String[0], 40_000);
    Host host = new Host(ROUTER, RULES, 0, 1);
    Replay replay = new Replay(host, true, Replay.Answers.CAPTURE, null, null);
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (CaptureReader warm = CaptureReader.open(first);
        CaptureReader measured = CaptureReader.open(second)) {
      CaptureMerger warming = new CaptureMerger(List.of(warm));
      CaptureMerger measuring = new CaptureMerger(List.of(measured));
      replay.run(warming, Collections.singletonList(null));
      long before = threads.getCurrentThreadAllocatedBytes();
      replay.run(measuring, Collections.singletonList(null));
      long bytes = threads.getCurrentThreadAllocatedBytes() - before;
      // The measurement itself and the JIT's deoptimisations may cost a little; a packet may not.
      assertTrue(bytes < 20_000, () -> bytes + " bytes for 40,000 packets");
    }
    replay.finish();
    assertEquals(60_003, replay.totals.left, "all were forwarded");
    assertEquals(3, host.conntrack().count(), "connections");
    String counters = IptablesSavePrinter.print(host.tables().counters(), true);
    assertTrue(counters.contains("[1:40] -A PREROUTING -i eth0 -p tcp"), counters);
    assertTrue(counters.contains("[2:64] -A POSTROUTING"), counters);
    assertTrue(counters.matches("(?s).*\\n\\[60003:\\d+] -A FORWARD -j NFQUEUE .*"), counters);
    assertTrue(counters.contains("[0:0] -A FORWARD -m conntrack --ctstate INVALID"), counters);
    assertTrue(
        counters.contains("[48001:1884044] -A FORWARD -m conntrack --ctstate RELATED"), counters);
  }

  private static void write(Path file, long time, String[] opening, int frames) {
    try (CaptureWriter writer = CaptureWriter.pcap(file, LinkType.ETHERNET)) {
      long at = time;
      for (String packet : opening) {
        writer.write(0, at += 20_000, bytes(packet));
      }
      byte[][] packets = new byte[AGAIN_AND_AGAIN.length][];
      for (int i = 0; i < packets.length; i++) {
        packets[i] = bytes(AGAIN_AND_AGAIN[i]);
      }
      for (int i = 0; i < frames; i++) {
        writer.write(0, at += 20_000, packets[i % packets.length]);
      }
    }
  }

  private static byte[] bytes(String packet) {
    return TypedPacket.parse("test", packet, ROUTER).bytes();
  }
}
