// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.lib.Checksum;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReplayCommandTest {
  private static final String HTTP = "../pcaps/http.pcap";
  private static final String ROUTER = "../config/router.yaml";

  /** The numbers are those of pcaps/README.md where it gives them: sent by the machine or not. */
  @ParameterizedTest
  @CsvSource({
    // capture, machine, frames, delivered, forwarded, answered, consumed, sent, dropped
    "http.pcap, 203.0.113.80, 69, 39, 0, 1, 0, 29, 0",
    "tls.pcapng, 203.0.113.80, 65, 34, 0, 1, 0, 30, 0",
    "ftp-passive.pcap, 203.0.113.80, 104, 51, 0, 1, 0, 52, 0",
    "ssh-bruteforce.pcap, 203.0.113.80, 481, 241, 0, 1, 0, 239, 0",
    "synflood.pcap.gz, 203.0.113.80, 214, 86, 0, 1, 8, 119, 0",
    "losses.pcap, 203.0.113.80, 197, 91, 0, 1, 0, 105, 0",
    "arp.pcap, 192.168.7.1, 27, 0, 0, 4, 13, 10, 0",
    "tunnel-rawip.pcap, 10.77.0.1, 24, 8, 0, 3, 0, 11, 2",
    "portscan.pcap, 203.0.113.80, 289, 25, 0, 2, 2, 133, 127",
  })
  void countsTheFatesOfTheSamples(
      String capture,
      String machine,
      long frames,
      long delivered,
      long forwarded,
      long answered,
      long consumed,
      long sent,
      long dropped) {
    Run run = Run.of("replay", "../pcaps/" + capture, "--as", machine, "--json");
    assertEquals(0, run.status(), run::err);
    assertEquals("", run.err());
    String fates =
        Stream.of("in", "delivered", "forwarded", "answered", "consumed", "sent", "dropped")
            .map(name -> name + " " + number(run.out(), name))
            .collect(Collectors.joining(", "));
    assertEquals(
        "in "
            + frames
            + ", delivered "
            + delivered
            + ", forwarded "
            + forwarded
            + ", answered "
            + answered
            + ", consumed "
            + consumed
            + ", sent "
            + sent
            + ", dropped "
            + dropped,
        fates);
  }

  private static String number(String json, String name) {
    return json.replaceAll("(?s).*?\"" + name + "\" : (\\d+).*", "$1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dns.pcap",
        "ftp-active.pcap",
        "ping.pcap",
        "traceroute.pcap",
        "nat-router.pcapng",
        "resets.pcap",
        "broadcast-multicast.pcap",
        "fragments.pcap",
        "vlan.pcap"
      })
  void givesEveryFrameOfASampleOneFate(String capture, @TempDir Path folder) throws IOException {
    Path out = folder.resolve("out");
    Run run = Run.of("replay", "../pcaps/" + capture, "--out", out.toString());
    assertEquals(0, run.status(), run::err);
    List<String> lines = Files.readAllLines(out.resolve("packets.jsonl"));
    String report = Files.readString(out.resolve("report.json"));
    for (String fate :
        List.of("delivered", "forwarded", "answered", "consumed", "sent", "dropped")) {
      long told = lines.stream().filter(line -> line.contains("\"fate\":\"" + fate + "\"")).count();
      assertEquals(Long.toString(told), number(report, fate), fate);
    }
    assertEquals(Integer.toString(lines.size()), number(report, "in"));
  }

  @Test
  void isTheSameTwice(@TempDir Path folder) throws IOException {
    List<Path> outs = List.of(folder.resolve("one"), folder.resolve("two"));
    for (Path out : outs) {
      Run run =
          Run.of(
              "replay",
              HTTP,
              "--rules",
              "../rules/web-server.yaml",
              "--out",
              out.toString(),
              "--trace",
              out + ".trace",
              "--quiet");
      assertEquals(0, run.status(), run::err);
      assertEquals("", run.out());
    }
    List<String> names = names(outs.get(0));
    assertEquals(
        List.of(
            "conntrack.txt",
            "counters.v4",
            "dropped.pcapng",
            "events.txt",
            "packets.jsonl",
            "report.json",
            "sockets.txt",
            "tx-eth0.pcapng"),
        names);
    for (String name : names) {
      assertArrayEquals(
          Files.readAllBytes(outs.get(0).resolve(name)),
          Files.readAllBytes(outs.get(1).resolve(name)),
          name);
    }
    List<String> walks = Files.readAllLines(Path.of(outs.get(0) + ".trace"));
    assertEquals(69, walks.size());
    assertEquals(walks, Files.readAllLines(Path.of(outs.get(1) + ".trace")));
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void savesOnlyWhatIsNamed(@TempDir Path folder) throws IOException {
    Run run = Run.of("replay", HTTP, "--out", folder.toString(), "--save", "report,tx");
    assertEquals(0, run.status(), run::err);
    assertEquals(List.of("report.json", "tx-eth0.pcapng"), names(folder));
  }

  @Test
  void tellsTheRuleAndThePlaceOfADrop(@TempDir Path folder) throws IOException {
    Path rules = folder.resolve("drop.v4");
    Files.writeString(
        rules,
        """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        -A INPUT -m conntrack --ctstate ESTABLISHED
        -A INPUT -p tcp -m tcp --dport 80 -j DROP
        COMMIT
        """);
    Path out = folder.resolve("out");
    Run run =
        Run.of(
            "replay",
            HTTP,
            "--as",
            "203.0.113.80",
            "--rules",
            rules.toString(),
            "--out",
            out.toString());
    assertEquals(0, run.status(), run::err);
    List<String> lines = Files.readAllLines(out.resolve("packets.jsonl"));
    assertEquals(
        "{\"n\":3,\"time\":\"2026-11-23T22:49:54.089041013Z\",\"in\":\"eth0\",\"length\":74,"
            + "\"fate\":\"dropped\",\"reason\":\"NETFILTER_DROP\",\"at\":\"nf_hook_slow\","
            + "\"ctstate\":\"NEW\",\"ctdir\":\"ORIGINAL\",\"rules\":[\"filter/INPUT#2\"],"
            + "\"verdict\":{\"hook\":\"LOCAL_IN\",\"table\":\"filter\",\"chain\":\"INPUT\","
            + "\"rule\":2,\"target\":\"DROP\",\"source\":\""
            + rules
            + ":6\"}}",
        lines.get(2));
    try (CaptureReader dropped = CaptureReader.open(out.resolve("dropped.pcapng"))) {
      assertTrue(dropped.next());
      assertEquals(
          "dropped by filter/INPUT#2 DROP ("
              + rules
              + ":6): NETFILTER_DROP in nf_hook_slow; connection NEW",
          dropped.comment());
    }
    assertTrue(run.out().contains("39  NETFILTER_DROP"), run.out());
  }

  @Test
  void countsAsTheRealRouterDid(@TempDir Path folder) throws IOException {
    Path arrived = folder.resolve("arrived.pcapng");
    String counters = null;
    // The kernel draws the port of a clash at random; here the model's own is put into the answers.
    int port = 21802;
    for (int round = 0; round < 2; round++) {
      arrived(arrived, port);
      Path out = folder.resolve("out" + round);
      Run run =
          Run.of(
              "replay",
              arrived.toString(),
              "--host",
              ROUTER,
              "--rules",
              "../pcaps/nat-router.v4",
              "--answers",
              "stack",
              "--out",
              out.toString());
      assertEquals(0, run.status(), run::err);
      counters = Files.readString(out.resolve("counters.v4"));
      for (String line : Files.readAllLines(out.resolve("conntrack.txt"))) {
        if (line.contains("src=192.168.7.80 dst=198.51.100.80 sport=40000")) {
          port = Integer.parseInt(line.replaceAll(".* dport=(\\d+) .*", "$1"));
        }
      }
    }
    assertEquals(
        tables(Files.readString(Path.of("../pcaps/nat-router.counters.v4"))), tables(counters));
  }

  /** What came to the router, without what it sent. */
  private static void arrived(Path file, int port) throws IOException {
    try (CaptureReader in = CaptureReader.open("../pcaps/nat-router.pcapng");
        CaptureWriter out = CaptureWriter.pcapng(file)) {
      List<String> interfaces = new ArrayList<>();
      while (in.next()) {
        ByteBuffer frame = ByteBuffer.allocate(in.capturedLength());
        in.copyTo(frame.array(), 0, in.capturedLength());
        long source = frame.getLong(4) & 0xFFFFFFFFFFFFL;
        if (source == 0x020000000001L || source == 0x020000000101L) {
          continue;
        }
        boolean tcp = frame.getShort(12) == 0x0800 && frame.get(23) == 6;
        if (tcp && frame.getInt(30) == 0xCB007101 && frame.getShort(36) == 21802) {
          int sum = Checksum.replace16(frame.getShort(50) & 0xFFFF, 21802, port);
          frame.putShort(50, (short) sum).putShort(36, (short) port);
        }
        if (!interfaces.contains(in.interfaceName())) {
          interfaces.add(in.interfaceName());
          out.addInterface(in.interfaceName(), LinkType.ETHERNET);
        }
        out.write(interfaces.indexOf(in.interfaceName()), in.timestampNanos(), frame.array());
      }
    }
  }

  private static List<String> tables(String counters) {
    return Arrays.stream(counters.split("COMMIT\n"))
        .map(
            table ->
                table
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .collect(Collectors.joining("\n")))
        .filter(table -> !table.isEmpty())
        .sorted()
        .toList();
  }

  @Test
  void replaysUpToTheBreakOfACutCapture(@TempDir Path folder) throws IOException {
    Path cut = folder.resolve("cut.pcap");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(Path.of(HTTP)), 5000));
    Path out = folder.resolve("out");
    Run run = Run.of("replay", cut.toString(), "--as", "203.0.113.80", "--out", out.toString());
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("skbwalk: " + cut + ": cut short in the record at byte 4355"));
    assertEquals(12, Files.readAllLines(out.resolve("packets.jsonl")).size());
  }

  @Test
  void answersByItselfWhenFramesArriveOnAnInterface() {
    Run run =
        Run.of(
            "replay",
            "--in",
            "eth0=../pcaps/portscan.pcap",
            "--as",
            "203.0.113.80",
            "--filter",
            "src host 198.51.100.9 and tcp[tcpflags] == tcp-syn and tcp port 23",
            "--json");
    assertEquals(0, run.status(), run::err);
    assertEquals(number(run.out(), "in"), number(run.out(), "answers"));
    assertEquals("0", number(run.out(), "answersWithheld"));
  }

  /** Options, then how the one line on stderr begins; {@code DIR} stands for a fresh folder. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "replay | a capture is missing: give CAPTURE or --in IFACE=CAPTURE",
        "replay nofile.pcap | nofile.pcap: no such file",
        "replay ../pcaps | ../pcaps: is a directory",
        "replay ../pcaps/README.md | ../pcaps/README.md: byte 0: is not a capture",
        "replay HTTP --host nohost.yaml | nohost.yaml: no such file",
        "replay HTTP --host ../config | ../config: is a folder",
        "replay HTTP --host ../pcaps/http.pcap | ../pcaps/http.pcap: is not text in UTF-8",
        "replay HTTP --host ../rules/web-server.yaml | ../rules/web-server.yaml:4:1: unknown key"
            + " \"tables\"",
        "replay HTTP --rules ../config/web.yaml | ../config/web.yaml:4:1: unknown key \"hostname\"",
        "replay HTTP --rules norules.yaml | norules.yaml: no such file",
        "replay HTTP --as 1.2.3 | --as 1.2.3: not an IPv4 address",
        "replay HTTP --as 1.2.3.4/33 | --as 1.2.3.4/33: a prefix length is 1 to 32",
        "replay HTTP --as 1.2.3.4 --host ../config/web.yaml | --host and --as both",
        "replay HTTP --in eth0=HTTP | CAPTURE and --in are two ways",
        "replay --in HTTP | --in ../pcaps/http.pcap: IFACE=CAPTURE is wanted",
        "replay --in eth7=HTTP --host ../config/router.yaml | --in eth7=...: the host has no such"
            + " interface; it has eth0, eth1",
        "replay HTTP --out DIR --save reprot | --save reprot: did you mean report?",
        "replay HTTP --save report | --save says which files",
        "replay HTTP --out ../pcaps/README.md | ../pcaps/README.md: is a file",
        "replay HTTP --answers none | Invalid value for option '--answers': 'none' is neither",
        "replay HTTP --json --trace - | --json and --trace - both print",
        "replay HTTP --nosuch | Unknown option: '--nosuch'",
        "replay HTTP --out /proc/nowhere | /proc/nowhere: ",
        "replay HTTP --trace /nowhere/trace | /nowhere/trace.part: no such file",
        "walk HTTP --save report | --save says which files",
        "walk HTTP --trace - | the walk and --trace - both print",
        "walk HTTP --format png | Invalid value for option '--format'",
        "walk HTTP --packet 70 --as 203.0.113.80 | --packet 70: ../pcaps/http.pcap has 69 frames",
        "walk HTTP --packet 3-1 | --packet 3-1: numbers from 1 are wanted",
        "walk HTTP --flow 1.2.3.4 | --flow 1.2.3.4: two ends are wanted",
        "walk HTTP --as 203.0.113.80 --flow 1.2.3.4:5-6.7.8.9:10 | --flow: no packet of",
        "walk --host ../config/router.yaml --send eth9 | --send:1:1: \"eth9\" is no packet",
      })
  void saysInOneLineWhatIsWrong(String arguments, String start, @TempDir Path folder)
      throws IOException {
    Path out = folder.resolve("out");
    Run run =
        Run.of(
            Arrays.stream(arguments.split(" "))
                .map(word -> word.replace("HTTP", HTTP).replace("DIR", out.toString()))
                .toArray(String[]::new));
    assertEquals(2, run.status(), run::err);
    assertTrue(run.err().startsWith("skbwalk: " + start), run::err);
    assertEquals(1, run.err().lines().count(), run::err);
    assertFalse(Files.exists(out));
  }

  @Test
  void namesThePlaceOfWhatNoMachineCouldDo(@TempDir Path folder) throws IOException {
    Path host = folder.resolve("host.yaml");
    Files.writeString(
        host,
        """
        interfaces:
          eth0:
            macaddress: "02:00:00:00:00:01"
            addresses: [192.0.2.1/24]
        sysctls:
          net.ipv4.ip_foward: 1
        """);
    Run run = Run.of("replay", HTTP, "--host", host.toString());
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("skbwalk: " + host + ":6:"), run::err);
  }

  @Test
  void replacesTheFilesOfAnEarlierRun(@TempDir Path folder) throws IOException {
    for (String old : List.of("tx-eth9.pcapng", "report.json", "notes.txt")) {
      Files.writeString(folder.resolve(old), "old");
    }
    Run run = Run.of("replay", HTTP, "--out", folder.toString(), "--save", "report,tx");
    assertEquals(0, run.status(), run::err);
    assertEquals(List.of("notes.txt", "report.json", "tx-eth0.pcapng"), names(folder));
    assertTrue(Files.readString(folder.resolve("report.json")).startsWith("{"));
    assertEquals("old", Files.readString(folder.resolve("notes.txt")));
  }
}
