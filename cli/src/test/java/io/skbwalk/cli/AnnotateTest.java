// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The comments in captures that are written, and the input written once more with them. */
class AnnotateTest {
  private static final String SCAN = "../pcaps/portscan.pcap";
  private static final String WEB = "--host ../config/web.yaml --rules ../rules/web-server.yaml";

  @TempDir Path folder;

  private Run replay(String words, String... more) {
    List<String> arguments = new ArrayList<>(List.of("replay", "--quiet"));
    arguments.addAll(Arrays.asList(words.split(" ")));
    arguments.addAll(Arrays.asList(more));
    Run run = Run.of(arguments.toArray(String[]::new));
    assertEquals(0, run.status(), run::err);
    return run;
  }

  /** Everything that our reader reads of a frame, comments aside. */
  private static List<String> told(Path file) {
    List<String> told = new ArrayList<>();
    try (CaptureReader reader = CaptureReader.open(file)) {
      while (reader.next()) {
        byte[] frame = new byte[reader.capturedLength()];
        reader.copyTo(frame, 0, frame.length);
        told.add(
            reader.interfaceIndex()
                + (" " + reader.interfaceName() + " " + reader.linkType())
                + (" " + reader.timestampNanos() + " " + reader.originalLength())
                + (" " + reader.direction() + " " + reader.fcsLength() + " ")
                + HexFormat.of().formatHex(frame));
      }
    }
    return told;
  }

  private static List<List<String>> comments(Path file) {
    List<List<String>> comments = new ArrayList<>();
    try (CaptureReader reader = CaptureReader.open(file)) {
      while (reader.next()) {
        comments.add(reader.comments());
      }
    }
    return comments;
  }

  static List<Path> samples() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("../pcaps"))) {
      return files.filter(file -> file.toString().contains(".pcap")).sorted().toList();
    }
  }

  @ParameterizedTest
  @MethodSource("samples")
  void writesEveryFrameAsItWasWithOneComment(Path sample) {
    Path file = folder.resolve("again.pcapng");
    replay(sample + " --annotate " + file);
    assertEquals(told(sample), told(file));
    for (List<String> comments : comments(file)) {
      assertEquals(1, comments.size(), comments::toString);
      assertFalse(comments.get(0).isBlank());
    }
    Path again = folder.resolve("oncemore.pcapng");
    replay(file + " --annotate " + again);
    assertEquals(told(sample), told(again));
  }

  @Test
  void tellsFateRuleAndState() {
    Path file = folder.resolve("scan.pcapng");
    replay(SCAN + " " + WEB + " --annotate " + file);
    List<String> comments = comments(file).stream().map(all -> all.get(0)).distinct().toList();
    for (String comment :
        List.of(
            "dropped by filter/INPUT#8 REJECT (../rules/web-server.yaml:33): NETFILTER_DROP in"
                + " nf_hook_slow; connection NEW",
            "delivered; filter/INPUT#5 ACCEPT (../rules/web-server.yaml:24); connection UNTRACKED;"
                + " also raw/PREROUTING#1 NOTRACK (../rules/web-server.yaml:9)",
            "delivered; filter/INPUT#1 ACCEPT (../rules/web-server.yaml:19); connection"
                + " ESTABLISHED",
            "sent to eth0; filter/OUTPUT policy ACCEPT; connection ESTABLISHED, reply",
            "dropped by filter/INPUT policy DROP: NETFILTER_DROP in nf_hook_slow; connection NEW",
            "answered, in the capture")) {
      assertTrue(comments.contains(comment), () -> comment + " is none of " + comments);
    }
  }

  @Test
  void tellsOfFramesThatLeftWhyTheyDid() {
    replay(SCAN + " " + WEB + " --answers stack --save tx --out " + folder);
    List<String> comments =
        comments(folder.resolve("tx-eth0.pcapng")).stream().map(all -> all.get(0)).toList();
    assertTrue(
        comments.contains(
            "made by this machine because of frame 257 from eth0; filter/INPUT#9 REJECT"
                + " (../rules/web-server.yaml:34)"),
        comments::toString);
    Path router = folder.resolve("router");
    replay(
        "../pcaps/nat-router.pcapng --host ../config/router.yaml --rules ../rules/nat-router.yaml"
            + " --save tx --out "
            + router);
    assertEquals(
        "forwarded, frame 3 from eth1; filter/FORWARD#5 ACCEPT (../rules/nat-router.yaml:42);"
            + " connection NEW; also nat/POSTROUTING#1 MASQUERADE (../rules/nat-router.yaml:19);"
            + " was 192.168.7.2:48079 > 198.51.100.53:53",
        comments(router.resolve("tx-eth0.pcapng")).get(0).get(0));
  }

  @Test
  void tellsOfFramesThatAreNotReplayedWhyNot() {
    Path file = folder.resolve("some.pcapng");
    replay(SCAN + " " + WEB + " --annotate " + file, "--filter", "udp");
    assertEquals(told(Path.of(SCAN)), told(file));
    long out =
        comments(file).stream().filter(all -> all.get(0).equals("left out by --filter")).count();
    assertTrue(out > 200 && out < 289, () -> out + " left out");
    Path router = folder.resolve("router.pcapng");
    replay(
        "../pcaps/nat-router.pcapng --host ../config/router.yaml --rules ../rules/nat-router.yaml"
            + " --annotate "
            + router);
    assertEquals(
        "left this machine because of frame 3; not replayed again", comments(router).get(5).get(0));
  }

  /** What somebody else said of a frame stays, before ours. */
  @Test
  void keepsTheCommentsOfTheInput() {
    Path input = folder.resolve("noted.pcapng");
    try (CaptureReader reader = CaptureReader.open(SCAN);
        CaptureWriter writer = CaptureWriter.pcapng(input)) {
      writer.addInterface("unused", LinkType.LINUX_SLL2);
      writer.addInterface("eth0", LinkType.ETHERNET);
      assertTrue(reader.next());
      byte[] frame = new byte[reader.capturedLength()];
      reader.copyTo(frame, 0, frame.length);
      writer.write(1, reader.timestampNanos(), frame, 99, 1, -1, List.of("mine", "yours"));
    }
    Path file = folder.resolve("again.pcapng");
    replay(input + " " + WEB + " --annotate " + file);
    assertEquals(told(input), told(file));
    assertEquals(List.of("mine", "yours"), comments(file).get(0).subList(0, 2));
    assertEquals(3, comments(file).get(0).size());
  }

  /** Several captures become one, in the order of the replay. */
  @Test
  void namesInterfacesThatHaveNoNameAfterIn() {
    Path file = folder.resolve("both.pcapng");
    replay(
        "--in eth0=../pcaps/http.pcap --in eth1=../pcaps/arp.pcap --host ../config/router.yaml"
            + " --annotate "
            + file);
    List<String> told = told(file);
    assertEquals(69 + 27, told.size());
    assertEquals(
        List.of("0 eth0 1", "1 eth1 1"),
        told.stream().map(line -> line.substring(0, 8)).distinct().sorted().toList());
  }

  @Test
  void annotatesTheFramesOfAScenario() throws IOException {
    Path scenario = folder.resolve("ssh.yaml");
    Files.writeString(
        scenario,
        """
        host: %s
        experiments:
          - name: one
            packets:
              - {in: eth0, comment: knock, tcp: {from: "198.51.100.9:40000", to: "203.0.113.80:22", flags: S}}
              - {in: eth0, tcp: {from: "198.51.100.9:40000", to: "203.0.113.80:23", flags: S}}
        """
            .formatted(Path.of("../config/web.yaml").toAbsolutePath()));
    Path file = folder.resolve("ssh.pcapng");
    replay(scenario + " --annotate " + file);
    assertEquals(
        List.of(
            List.of("knock", "delivered"),
            List.of("dropped: NO_SOCKET in tcp_v4_rcv; answered to eth0")),
        comments(file).stream()
            .map(all -> all.stream().map(one -> one.replaceAll("; connection.*", "")).toList())
            .toList());
  }

  /** A fragment that waits for 30 s, and everything behind it, in the order of the capture. */
  @Test
  void waitsForLateFates() {
    Path file = folder.resolve("fragments.pcapng");
    replay("../pcaps/fragments.pcap --annotate " + file);
    assertTrue(comments(file).stream().anyMatch(all -> all.get(0).contains("FRAG_REASM_TIMEOUT")));
  }

  /** To 203.0.113.80, with more to come. */
  private static final String FIRST_FRAGMENT =
      "0200000000500200000000090800"
          + "4500001c000120004011f442c6336409cb007150"
          + "9c40003500100000";

  private static final String UNKNOWN_PROTOCOL = "02000000005002000000000988b5";

  /** Memory stays flat behind a fragment that waits: the oldest frames are let go. */
  @Test
  void letsFramesGoWhenTooManyWait() {
    Path input = folder.resolve("many.pcap");
    int frames = 25_000;
    byte[] first = HexFormat.of().parseHex(FIRST_FRAGMENT);
    byte[] other = HexFormat.of().parseHex(UNKNOWN_PROTOCOL + "00".repeat(1400));
    try (CaptureWriter writer = CaptureWriter.pcap(input, LinkType.ETHERNET)) {
      writer.write(0, 1_000_000_000L, first);
      for (int i = 1; i < frames; i++) {
        writer.write(0, 1_000_000_000L + i * 1000L, other);
      }
      writer.write(0, 40_000_000_000L, other);
    }
    Path file = folder.resolve("again.pcapng");
    replay(input + " --as 203.0.113.80 --annotate " + file);
    List<List<String>> comments = comments(file);
    assertEquals(frames + 1, comments.size());
    assertEquals(List.of("waits in this machine"), comments.get(0));
    assertEquals(
        List.of("dropped: UNHANDLED_PROTO in __netif_receive_skb_core"), comments.get(frames));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "replay SCAN --annotate x.pcap | --annotate x.pcap: pcap has no place for comments",
        "replay SCAN --annotate x.pcapng.gz | --annotate x.pcapng.gz: captures are written"
            + " uncompressed",
        "replay SCAN --annotate ../pcaps | --annotate ../pcaps: is a folder",
        "replay SCAN --annotate SCANng/x.pcapng | ../pcaps/portscan.pcapng/x.pcapng: cannot be",
        "replay ../pcaps/tls.pcapng --annotate ../pcaps/tls.pcapng | --annotate"
            + " ../pcaps/tls.pcapng: is the capture itself",
        "replay SCAN --annotate - --json | --json and --annotate - both print",
        "replay SCAN --annotate - --trace - | --trace - and --annotate - both print",
        "walk SCAN --annotate - | the walk and --annotate - both print",
        "walk --host ../config/web.yaml --annotate x.pcapng --send PACKET | --annotate: there is no"
            + " capture",
      })
  void refuses(String words, String start) {
    String[] arguments =
        Arrays.stream(words.split(" "))
            .map(word -> word.replace("SCAN", SCAN))
            .map(word -> word.replace("PACKET", "eth0 icmp 198.51.100.9 > 203.0.113.80"))
            .toArray(String[]::new);
    Run run = Run.of(arguments);
    assertEquals(2, run.status(), run::err);
    assertTrue(run.err().startsWith("skbwalk: " + start), run::err);
    assertFalse(Files.exists(Path.of("x.pcapng")));
  }

  // ---- as Wireshark reads it
  // ----------------------------------------------------------------------

  private static final Path TSHARK = Path.of("/usr/bin/tshark");

  private static List<String> tshark(Path file, List<String> fields) throws IOException {
    List<String> command = new ArrayList<>(List.of(TSHARK.toString(), "-n", "-r", file.toString()));
    command.addAll(List.of("-T", "fields", "-E", "separator=|"));
    for (String field : fields) {
      command.addAll(List.of("-e", field));
    }
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertEquals(0, process.waitFor(), command::toString);
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return out.lines().toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nat-router.pcapng", "tunnel-rawip.pcap"})
  void tsharkReadsTheSameFramesAndOurComments(String sample) throws IOException {
    assumeTrue(
        Files.isExecutable(TSHARK),
        "no tshark here (Debian's tshark): comments are not read with Wireshark's own reader");
    Path input = Path.of("../pcaps", sample);
    Path file = folder.resolve("again.pcapng");
    replay(
        input + " --annotate " + file + " --out " + folder.resolve("out") + " --save tx,dropped");
    List<String> fields = new ArrayList<>(List.of("frame.number", "frame.time_epoch"));
    fields.addAll(List.of("frame.len", "frame.cap_len", "frame.encap_type", "_ws.col.Info"));
    if (sample.endsWith("ng")) {
      fields.add("frame.interface_name");
    }
    List<String> theirs = new ArrayList<>();
    for (String line : tshark(input, fields)) {
      theirs.add(line + "|" + comments(file).get(theirs.size()).get(0));
    }
    fields.add("frame.comment");
    assertEquals(theirs, tshark(file, fields));
    for (Path written : written()) {
      List<String> ours = comments(written).stream().map(all -> all.get(0)).toList();
      assertEquals(ours, tshark(written, List.of("frame.comment")), written::toString);
    }
  }

  private List<Path> written() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("out"))) {
      return files.sorted().toList();
    }
  }
}
