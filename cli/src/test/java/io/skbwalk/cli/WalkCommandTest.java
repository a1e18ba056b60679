// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WalkCommandTest {
  private static final String HTTP = "../pcaps/http.pcap";
  private static final String ROUTER = "../config/router.yaml";
  private static final String SYN = "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 S";

  /** Without how wide the terminal is and where lines break. */
  private static String words(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }

  private static Path rules(Path folder) throws IOException {
    Path rules = folder.resolve("rules.v4");
    Files.writeString(
        rules,
        """
        *mangle
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        -A PREROUTING -p tcp -j TTL --ttl-set 33
        COMMIT
        *nat
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        -A PREROUTING -p udp --dport 8080 -j DNAT --to 192.168.7.9:80
        -A PREROUTING -p tcp --dport 8080 -j DNAT --to 192.168.7.2:80
        COMMIT
        """);
    return rules;
  }

  @Test
  void tellsAForwardedPacket(@TempDir Path folder) throws IOException {
    Path rules = rules(folder);
    Run run =
        Run.of("walk", "--host", ROUTER, "--rules", rules.toString(), "--send", SYN, "--misses");
    assertEquals(0, run.status(), run::err);
    assertEquals(
        words(
            """
            #1 00:00:00.000000 eth0 TCP 198.51.100.9:40000 > 203.0.113.1:8080 [S] 54 bytes
            nic ring slot 1; destination is ours; no frame check sequence in the capture
            hard irq acknowledged, masked; napi_schedule -> NET_RX_SOFTIRQ
            softirq net_rx_action, poll 1 of 64: skb #1, headroom 64, 54 bytes, protocol 0x0800
            ip_rcv header 20 bytes, checksum right, total length 40
            PRE_ROUTING
            conntrack NEW tcp SYN_SENT 198.51.100.9:40000 > 203.0.113.1:8080
            mangle rule 1 -p tcp -j TTL --ttl-set 33 RULES:7 ttl 64 -> 33 policy ACCEPT
            nat rule 1 -p udp -m udp --dport 8080 -j DNAT --to-destination 192.168.7.9:80 RULES:14
            no: protocol is tcp
            rule 2 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.7.2:80 RULES:15
            nat bound, replies will be 192.168.7.2:80 > 198.51.100.9:40000
            destination 203.0.113.1:8080 -> 192.168.7.2:80
            ip_rcv_finish forward: 192.168.7.0/24 dev eth1 src 192.168.7.1, table main, rule 32766
            ip_forward ttl 33 -> 32, mtu 1500
            FORWARD
            mangle policy ACCEPT [no rules]
            POST_ROUTING
            mangle policy ACCEPT [no rules]
            nat policy ACCEPT [no rules]
            nat null binding
            confirm the connection enters the table, timeout 120 s
            ip_finish_output2 next hop 192.168.7.2 on eth1, 40 bytes
            transmit eth1 #1: TCP 198.51.100.9:40000 > 192.168.7.2:80 [S] 54 bytes
            => forwarded to eth1: 198.51.100.9:40000 > 192.168.7.2:80 ttl 32, 54 bytes
            changed: ttl 64 -> 32, destination address and port, checksums
            """
                .replace("RULES", rules.toString())),
        words(
            run.out()
                .lines()
                .filter(line -> !line.contains("initcall"))
                .collect(Collectors.joining("\n"))));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--packet 3,5-6 | 3 5 6",
        "--flow 198.51.100.9:54998-203.0.113.80:80 --filter 'tcp[13] & 2 != 0' | 3 4",
        "--filter 'arp' | 1 2",
      })
  void choosesPacketsByTheirNumberInTheCapture(String options, String numbers) {
    String[] words =
        ("walk ../pcaps/http.pcap --as 203.0.113.80 --format json " + options)
            .split(" (?=(?:[^']*'[^']*')*[^']*$)");
    for (int i = 0; i < words.length; i++) {
      words[i] = words[i].replace("'", "");
    }
    Run run = Run.of(words);
    assertEquals(0, run.status(), run::err);
    assertEquals(
        numbers,
        run.out()
            .lines()
            .map(line -> line.replaceAll("^\\{\"n\":(\\d+).*", "$1"))
            .collect(Collectors.joining(" ")));
  }

  @Test
  void nestsAnAnswerInsideItsCause() {
    Run run = Run.of("walk", "--host", ROUTER, "--send", "eth0 icmp 198.51.100.9 > 203.0.113.1");
    List<String> lines = run.out().lines().toList();
    assertTrue(
        lines.contains("  icmp_reply    makes ICMP 203.0.113.1 > 198.51.100.9 echo reply 28 bytes"),
        run.out());
    assertTrue(
        lines.stream().anyMatch(line -> line.startsWith("    transmit      eth0 #1: ICMP")),
        run.out());
    assertTrue(run.out().contains("=> answered to eth0: 203.0.113.1 > 198.51.100.9 ttl 64"));
  }

  @Test
  void restrictsAWalkToOneHook(@TempDir Path folder) throws IOException {
    Run run =
        Run.of(
            "walk",
            "--host",
            ROUTER,
            "--rules",
            rules(folder).toString(),
            "--send",
            SYN,
            "--only",
            "FORWARD");
    assertTrue(run.out().contains("  FORWARD\n"), run.out());
    assertFalse(run.out().contains("PRE_ROUTING"), run.out());
    assertFalse(run.out().contains("ip_rcv"), run.out());
    Run json =
        Run.of("walk", "--host", ROUTER, "--send", SYN, "--only", "ip_rcv", "--format", "json");
    assertTrue(json.out().contains("\"steps\":[{\"type\":\"step\",\"function\":\"ip_rcv\""));
    assertFalse(json.out().contains("ip_forward"), json.out());
  }

  @Test
  void tellsOnlyWhatATraceRuleChooses(@TempDir Path folder) throws IOException {
    Path rules = folder.resolve("trace.v4");
    Files.writeString(
        rules,
        """
        *raw
        :PREROUTING ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        -A PREROUTING -p tcp --tcp-flags SYN,ACK SYN -j TRACE
        COMMIT
        """);
    Run run =
        Run.of(
            "walk",
            "../pcaps/http.pcap",
            "--as",
            "203.0.113.80",
            "--rules",
            rules.toString(),
            "--format",
            "json");
    assertEquals(0, run.status(), run::err);
    assertEquals(6, run.out().lines().count());
    assertTrue(run.out().lines().allMatch(line -> line.contains("[S]")));
  }

  @Test
  void writesTheFilesOfTheWholeReplay(@TempDir Path folder) throws IOException {
    String replayed = folder.resolve("replayed").toString();
    String walked = folder.resolve("walked").toString();
    Run replay =
        Run.of("replay", HTTP, "--out", replayed, "--trace", replayed + ".jsonl", "--quiet");
    Run walk =
        Run.of(
            "walk",
            HTTP,
            "--packet",
            "3",
            "--json",
            "--quiet",
            "--out",
            walked,
            "--trace",
            walked + ".jsonl");
    assertEquals("", replay.err());
    assertEquals("", walk.err());
    assertEquals(1, walk.out().lines().count());
    assertTrue(walk.out().startsWith("{\"n\":3,"), walk.out());
    for (String name : List.of("/report.json", "/packets.jsonl", "/conntrack.txt", ".jsonl")) {
      assertEquals(
          Files.readString(Path.of(replayed + name)),
          Files.readString(Path.of(walked + name)),
          name);
    }
  }

  @Test
  void savesOnlyWhatIsNamed(@TempDir Path folder) throws IOException {
    Run run =
        Run.of("walk", HTTP, "--packet", "3", "--out", folder.toString(), "--save", "counters");
    assertEquals(0, run.status(), run::err);
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(folder.resolve("counters.v4")), files.toList());
    }
  }

  @Test
  void leavesNoFilesWhenThePacketIsNotThere(@TempDir Path folder) throws IOException {
    Path out = folder.resolve("out");
    Run run = Run.of("walk", HTTP, "--packet", "70", "--quiet", "--out", out.toString());
    assertEquals(2, run.status());
    assertEquals("skbwalk: --packet 70: " + HTTP + " has 69 frames\n", run.err());
    assertFalse(Files.exists(out));
  }

  private static String last(String... arguments) {
    Run run = Run.of(arguments);
    assertEquals(0, run.status(), run::err);
    return run.out().lines().filter(line -> line.startsWith("  =>")).reduce("", (a, b) -> b);
  }

  @Test
  void aRouterIsMadeUpAroundSeveralAddresses() {
    String[] router = {
      "walk", "--as", "eth0=203.0.113.1", "--as", "lan=192.168.7.1/16", "--send", ""
    };
    router[6] = "eth0 tcp 198.51.100.9:40000 > 192.168.9.2:80 S";
    assertTrue(last(router).startsWith("  => forwarded to lan: "), last(router));
    router[6] = "lan udp 192.168.9.2:40000 > 198.51.100.9:53";
    assertTrue(last(router).startsWith("  => forwarded to eth0: "), last(router));
    for (String[] wrong :
        new String[][] {
          {
            "203.0.113.1", "--as eth0=203.0.113.1: eth0 is there already; several are told apart as"
          },
          {"lan=x", "--as lan=x: not an IPv4 address, such as 192.0.2.1"},
          {"lan=192.0.2.1/40", "--as lan=192.0.2.1/40: a prefix length is 1 to 32"},
          {"=192.0.2.1", "--as =192.0.2.1: \"\" cannot be an interface's name"}
        }) {
      String first = wrong[0].equals("203.0.113.1") ? wrong[0] : "192.0.2.9";
      String second = wrong[0].equals("203.0.113.1") ? "eth0=" + wrong[0] : wrong[0];
      Run run =
          Run.of(
              "walk", "--as", first, "--as", second, "--send", "eth0 icmp 192.0.2.2 > 192.0.2.9");
      assertEquals(2, run.status());
      assertTrue(run.err().startsWith("skbwalk: " + wrong[1]), run.err());
    }
  }

  @Test
  void theMachineSendsWhatIsTypedAsSent() {
    String sent =
        last(
            "walk",
            "--as",
            "203.0.113.1",
            "--send",
            "sent udp 203.0.113.1:5 > 198.51.100.9:53 ttl=9");
    assertEquals("  => sent to eth0: 203.0.113.1:5 > 198.51.100.9:53 ttl 9, 42 bytes", sent);
    String gre =
        last("walk", "--as", "203.0.113.1", "--send", "eth0 ip 198.51.100.9 > 203.0.113.1 47");
    assertTrue(gre.startsWith("  => dropped"), gre);
  }

  @Test
  void oneLineTellsOfADrop(@TempDir Path folder) throws IOException {
    Path rules =
        Files.writeString(
            folder.resolve("drop.v4"), "*filter\n:INPUT DROP\n-A INPUT -p udp -j DROP\nCOMMIT\n");
    for (String[] one :
        new String[][] {{"tcp", "policy DROP"}, {"udp", "rule 1  -p udp -j DROP"}}) {
      Run run =
          Run.of(
              "walk",
              "--as",
              "203.0.113.1",
              "--rules",
              rules.toString(),
              "--send",
              "eth0 " + one[0] + " 198.51.100.9:40000 > 203.0.113.1:53");
      assertTrue(run.out().contains(one[1]), run.out());
      assertTrue(run.out().lines().noneMatch(line -> line.strip().equals("DROP")), run.out());
    }
  }
}
