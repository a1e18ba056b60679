// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SeveralCapturesTest {
  private static final List<String> CAPTURES =
      List.of("http.pcap", "synflood.pcap.gz", "tls.pcapng", "portscan.pcap", "losses.pcap");

  @TempDir private Path folder;

  /** Whatever runs beside it, each capture's results are those of its own replay. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 50})
  void areReplayedAsIfAlone(int jobs) throws IOException {
    StringBuilder expected = new StringBuilder();
    Map<String, String> files = new TreeMap<>();
    List<String> arguments = new ArrayList<>();
    for (String capture : CAPTURES) {
      String name = capture.substring(0, capture.indexOf('.'));
      Path alone = folder.resolve("alone").resolve(name);
      Run run = replay(List.of("../pcaps/" + capture), alone);
      assertEquals(0, run.status(), run::err);
      expected.append(expected.isEmpty() ? "" : "\n").append(run.out());
      files.putAll(contents(folder.resolve("alone")));
      arguments.add("../pcaps/" + capture);
    }
    Path together = folder.resolve("together");
    arguments.add("--jobs=" + jobs);
    Run run = replay(arguments, together);
    assertEquals(0, run.status(), run::err);
    assertEquals(expected.toString(), run.out());
    assertEquals(files, contents(together));
    assertEquals(8 * CAPTURES.size(), files.size());
  }

  private static Run replay(List<String> arguments, Path out) {
    List<String> all = new ArrayList<>(List.of("replay"));
    all.addAll(arguments);
    all.addAll(List.of("--as", "203.0.113.80", "--rules", "../rules/web-server.yaml"));
    all.addAll(List.of("--out", out.toString()));
    return Run.of(all.toArray(String[]::new));
  }

  private static Map<String, String> contents(Path of) throws IOException {
    Map<String, String> contents = new TreeMap<>();
    try (Stream<Path> files = Files.walk(of)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        contents.put(
            of.relativize(file).toString(), new String(bytes, StandardCharsets.ISO_8859_1));
      }
    }
    return contents;
  }

  @Test
  void oneThatCannotBeReadKeepsNoOtherFromIt() {
    Run run =
        Run.of(
            "replay",
            "../pcaps/http.pcap",
            "missing.pcap",
            "../pcaps/tls.pcapng",
            "--as",
            "203.0.113.80",
            "--json");
    assertEquals(2, run.status());
    assertEquals("skbwalk: missing.pcap: no such file\n", run.err());
    assertEquals(
        Run.of("replay", "../pcaps/http.pcap", "--as", "203.0.113.80", "--json").out()
            + Run.of("replay", "../pcaps/tls.pcapng", "--as", "203.0.113.80", "--json").out(),
        run.out());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.pcap - | - is standard input, a single capture; replay it alone",
        "a.pcap b.pcap --trace t.jsonl | --trace t.jsonl: is for one capture, not for 2; replay them"
            + " one by one",
        "a.pcap b.pcap --annotate t.pcapng | --annotate t.pcapng: is for one capture, not for 2;"
            + " replay them one by one",
        "a/x.pcap b/x.pcapng.gz --out r | a/x.pcap and b/x.pcapng.gz would both leave their results"
            + " in r/x; replay them one by one",
        "a.pcap b.pcap --jobs 0 | --jobs 0: how many captures at the same time, 1 or more",
        "a.pcap b.pcap --in eth0=c.pcap | CAPTURE and --in are two ways to say where frames come"
            + " from; give one of them",
      })
  void saysWhatDoesNotGoTogether(String arguments, String problem) {
    Run run = Run.of(("replay " + arguments).split(" "));
    assertEquals(2, run.status());
    assertTrue(run.err().contains("skbwalk: " + problem), run::err);
    assertFalse(Files.exists(Path.of("r")));
  }
}
