// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.capture.CaptureReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CraftCommandTest {
  private static final String SCENARIO =
      """
      host:
        interfaces:
          eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
          eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
        routes: [{to: default, via: 203.0.113.254}]
        neighbours:
          - {address: 203.0.113.254, macaddress: "02:00:00:00:00:fe", interface: eth0}
      rules: |
        *nat
        -A POSTROUTING -d 198.51.100.53 -j SNAT --to-source 203.0.113.77
        COMMIT
        *filter
        -A OUTPUT -d 198.51.100.66 -j DROP
        COMMIT
      experiments:
        - name: one
          packets:
            - {in: eth0, comment: knock, frame: 0200000000010200000000fe0800}
            - {in: eth1, after: 1.000000001s, frame: 0200000001010200000000fe0806, repeat: 2}
        - name: two
          packets:
            - {sent: true, comment: "a name", udp: {from: "203.0.113.1:5000", to: "198.51.100.53:53"}}
            - {sent: true, after: 5ns, udp: {from: "192.168.7.1:5000", to: "198.51.100.66:53"}}
      """;

  private static Path scenario(Path folder) throws IOException {
    return Files.writeString(folder.resolve("scenario.yaml"), SCENARIO);
  }

  /** The frames of a capture: interface, time since the year began, direction, bytes, comment. */
  private static List<String> frames(Path file) {
    List<String> lines = new ArrayList<>();
    try (CaptureReader reader = CaptureReader.open(file)) {
      while (reader.next()) {
        byte[] frame = new byte[reader.capturedLength()];
        reader.copyTo(frame, 0, frame.length);
        lines.add(
            "%s %d %d %s %s"
                .formatted(
                    reader.interfaceName(),
                    reader.timestampNanos() - 1_767_225_600_000_000_000L,
                    reader.direction(),
                    HexFormat.of().formatHex(frame),
                    reader.comment()));
      }
    }
    return lines;
  }

  private static final List<String> FRAMES =
      List.of(
          "eth0 0 1 0200000000010200000000fe0800 knock",
          "eth1 1000000001 1 0200000001010200000000fe0806 null",
          "eth1 2000000002 1 0200000001010200000000fe0806 null",
          // As the program sent it: SNAT comes behind; the header is that of the way out.
          "eth0 2000000002 2 0200000000fe0200000000010800"
              + "4500001c0000000040111467cb007101c633643513880035000885b6"
              + " a name",
          // Dropped on its way out: nobody's address.
          "eth1 2000000007 2 00000000000002000000010108004500001c00000000401188b2c0a80701c6336442"
              + "138800350008fa01 null");

  @Test
  void writesEachFrameWithItsInterfaceTimeAndComment(@TempDir Path folder) throws IOException {
    Path out = folder.resolve("frames.pcapng");
    Run run = Run.of("craft", scenario(folder).toString(), "--out", out.toString());
    assertEquals(0, run.status(), run::err);
    assertEquals("skbwalk: 5 frames written to " + out + "\n", run.err());
    assertEquals(String.join("\n", FRAMES), String.join("\n", frames(out)));
  }

  @Test
  void writesPcapForAFileThatIsCalledSo(@TempDir Path folder) throws IOException {
    Path out = folder.resolve("frames.pcap");
    Run run = Run.of("craft", scenario(folder).toString(), "-o", out.toString(), "--quiet");
    assertEquals(0, run.status(), run::err);
    assertEquals("", run.err());
    assertArrayEquals(
        new byte[] {0x4d, 0x3c, (byte) 0xb2, (byte) 0xa1},
        Arrays.copyOf(Files.readAllBytes(out), 4),
        "nanoseconds, little endian");
    assertEquals(
        FRAMES.stream().map(line -> line.split(" ")[1] + " " + line.split(" ")[3]).toList(),
        frames(out).stream().map(line -> line.split(" ")[1] + " " + line.split(" ")[3]).toList());
  }

  @Test
  void writesToStandardOutput(@TempDir Path folder) throws IOException {
    Path out = folder.resolve("frames.pcapng");
    Run.of("craft", scenario(folder).toString(), "--out", out.toString());
    PrintStream before = System.out;
    ByteArrayOutputStream written = new ByteArrayOutputStream();
    System.setOut(new PrintStream(written));
    try {
      assertEquals(0, Run.of("craft", scenario(folder).toString()).status());
    } finally {
      System.setOut(before);
    }
    assertArrayEquals(Files.readAllBytes(out), written.toByteArray());
  }

  /** What the capture of a scenario meets is what the scenario itself meets. */
  @ParameterizedTest
  @ValueSource(strings = {"docker.v4", "kube-proxy.v4", "shorewall.v4", "ufw.v4"})
  void meetsTheSameFatesAsTheScenario(String rules, @TempDir Path folder) throws IOException {
    String name = rules.substring(0, rules.indexOf('.'));
    String scenario = "../conformance/cases/" + name + ".yaml";
    Path capture = folder.resolve("frames.pcapng");
    assertEquals(0, Run.of("craft", scenario, "--out", capture.toString()).status());
    Path one = folder.resolve("one");
    Run.of("replay", scenario, "--out", one.toString());
    Path two = folder.resolve("two");
    Run run =
        Run.of(
            "replay",
            capture.toString(),
            "--host",
            "../config/" + name + ".yaml",
            "--rules",
            "../rules/" + rules,
            "--answers",
            "stack",
            "--out",
            two.toString());
    assertEquals(0, run.status(), run::err);
    for (String file : List.of("conntrack.txt", "counters.v4", "events.txt")) {
      assertEquals(Files.readString(one.resolve(file)), Files.readString(two.resolve(file)), file);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "craft | Missing required parameter: 'SCENARIO.yaml'",
        "craft nofile.yaml --out OUT | nofile.yaml: no such file",
        "craft ../rules/web-server.yaml --out OUT | ../rules/web-server.yaml:4:1: unknown key"
            + " \"tables\"",
        "craft SCENARIO --out OUT.gz | --out OUT.gz: captures are written uncompressed",
        "craft SCENARIO --out /nowhere/a.pcap | /nowhere/a.pcap: cannot be written: its folder does"
            + " not exist",
      })
  void saysInOneLineWhatIsWrong(String arguments, String start, @TempDir Path folder)
      throws IOException {
    String out = folder.resolve("out.pcapng").toString();
    String scenario = scenario(folder).toString();
    Run run =
        Run.of(
            Arrays.stream(arguments.split(" "))
                .map(word -> word.replace("OUT", out).replace("SCENARIO", scenario))
                .toArray(String[]::new));
    assertEquals(2, run.status(), run::err);
    assertTrue(run.err().startsWith("skbwalk: " + start.replace("OUT", out)), run::err);
    assertEquals(1, run.err().lines().count(), run::err);
    assertFalse(Files.exists(Path.of(out)));
    assertFalse(Files.exists(Path.of(out + ".part")));
  }
}
