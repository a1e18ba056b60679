// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import picocli.CommandLine;

class TestCommandTest {
  private static final String EXPERIMENTS =
      """
      host:
        interfaces:
          eth0: {macaddress: "02:00:00:00:00:50", addresses: [203.0.113.80/24]}
        assume-neighbours: true
      rules: |
        *filter
        -A INPUT -p tcp --dport 22 -j DROP
        -A INPUT -p udp -j DROP
        COMMIT
      experiments:
        - name: ssh & <telnet>
          packets:
            - {in: eth0, tcp: {from: "203.0.113.9:1", to: "203.0.113.80:22", flags: S}, expect: {fate: dropped, rule: "filter/INPUT#1"}}
        - name: "issue #7"
          packets:
            - {in: eth0, tcp: {from: "203.0.113.9:1", to: "203.0.113.80:23", flags: S}, expect: {answer: WHAT, fate: dropped}}
      """;

  @TempDir Path folder;

  private String file(String answer) throws IOException {
    return Files.writeString(folder.resolve("t.yaml"), EXPERIMENTS.replace("WHAT", answer))
        .toString();
  }

  static Stream<Path> experimentsBesideTheRules() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("../rules"))) {
      List<Path> found =
          files.filter(file -> file.toString().endsWith(".test.yaml")).sorted().toList();
      assertFalse(found.isEmpty());
      return found.stream();
    }
  }

  @ParameterizedTest
  @MethodSource
  void experimentsBesideTheRules(Path file) {
    Run run = Run.of("test", file.toString(), "--quiet");
    assertEquals("", run.err());
    assertEquals(0, run.status(), run.out());
  }

  @Test
  void whatHoldsIsALineEach() throws IOException {
    String file = file("tcp-reset");
    Run run = Run.of("test", file, "--coverage");
    assertEquals(
        file
            + "\n  ok      ssh & <telnet>\n  ok      issue #7\n\n"
            + "2 experiments: all hold; 2 packets, 4 expectations\n"
            + "1 of 2 rules reached; no experiment reached\n  "
            + file
            + ":8  filter/INPUT#2  -p udp -j DROP\n",
        run.out());
    assertEquals(0, run.status());
    assertEquals(
        "2 experiments: all hold; 2 packets, 4 expectations\n", Run.of("test", file, "-q").out());
  }

  @Test
  void whatFailsIsToldWithItsPlaceAndItsWalk() throws IOException {
    String file = file("none");
    Run run = Run.of("test", file);
    assertEquals(1, run.status());
    List<String> lines = run.out().lines().map(String::strip).toList();
    assertEquals("FAILED  issue #7", lines.get(2));
    assertEquals(file + ":16:100:", lines.get(3));
    assertEquals("packet 1: answer: expected none, got tcp-reset", lines.get(4));
    assertTrue(run.out().contains("no: destination port is 23"), run.out());
    assertTrue(run.out().contains("=> dropped in"), run.out());
    assertTrue(
        run.out().endsWith("2 experiments: 1 failed; 2 packets, 4 expectations\n"), run.out());
  }

  @Test
  void oneExperimentOrOtherRulesCanBeTried() throws IOException {
    String file = file("none");
    assertEquals(0, Run.of("test", file, "--only", "ssh").status());
    Path rules = Files.writeString(folder.resolve("new.v4"), "*filter\n-A INPUT -j DROP\nCOMMIT\n");
    assertEquals(0, Run.of("test", file, "--rules", rules.toString()).status());
    Run run = Run.of("test", file, "--only", "isue #7");
    assertEquals(2, run.status());
    assertEquals(
        "skbwalk: --only isue #7: no experiment is called so; did you mean issue #7?\n", run.err());
  }

  @Test
  void whatCannotBeUsedIsOneLine() throws IOException {
    Run run = Run.of("test", file("nobody"));
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("skbwalk: " + folder.resolve("t.yaml") + ":16:100: no answer"));
    assertEquals(1, run.err().lines().count());
    assertEquals(
        "skbwalk: ../rules/web-server.yaml: no experiments; a file of them has the key experiments"
            + " (docs/experiments.md)\n",
        Run.of("test", "../rules/web-server.yaml").err());
    assertEquals(2, Run.of("test", file("none"), "--tap", "--json", "-").status());
  }

  @Test
  void junitIsXmlWithACaseAnExperiment() throws Exception {
    Path xml = folder.resolve("out.xml");
    assertEquals(1, Run.of("test", file("none"), "--junit", xml.toString()).status());
    Document document =
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(xml.toFile());
    var cases = document.getElementsByTagName("testcase");
    assertEquals(2, cases.getLength());
    assertEquals(
        "ssh & <telnet>", cases.item(0).getAttributes().getNamedItem("name").getNodeValue());
    var failures = document.getElementsByTagName("failure");
    assertEquals(1, failures.getLength());
    assertEquals(
        "packet 1: answer: expected none, got tcp-reset",
        failures.item(0).getAttributes().getNamedItem("message").getNodeValue());
    assertTrue(failures.item(0).getTextContent().contains("ip_rcv"));
    assertEquals(
        "1", document.getDocumentElement().getAttributes().getNamedItem("failures").getNodeValue());
    assertFalse(Files.exists(folder.resolve("out.xml.part")));
  }

  @Test
  void tapEscapesWhatWouldBeADirective() throws IOException {
    String file = file("tcp-reset");
    assertEquals(
        "TAP version 14\n1..2\nok 1 - "
            + file
            + ": ssh & <telnet>\nok 2 - "
            + file
            + ": issue \\#7\n",
        Run.of("test", file, "--tap").out());
    String failed = Run.of("test", file("none"), "--tap").out();
    assertTrue(failed.contains("not ok 2"), failed);
    assertTrue(failed.contains("      expected: \"none\"\n      got: \"tcp-reset\"\n"), failed);
    assertTrue(failed.endsWith("  ...\n"), failed);
  }

  @Test
  void jsonIsTheSameEachTime() throws IOException {
    Run run = Run.of("test", file("none"), "--json", "-");
    assertEquals(1, run.status());
    assertTrue(run.out().startsWith("{\n"), run.out());
    assertEquals(run.out(), Run.of("test", file("none"), "--json", "-").out());
  }

  @Test
  void aWatchWaitsForAChangeAndNothingElse() throws Exception {
    Path file = Path.of(file("none"));
    Set<Path> files = new LinkedHashSet<>(Set.of(file, folder.resolve("later.v4")));
    CountDownLatch changed = new CountDownLatch(1);
    Watch watch = new Watch(files);
    watch.look();
    Thread waiting =
        new Thread(
            () -> {
              try {
                watch.await();
                changed.countDown();
              } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
              }
            });
    waiting.setDaemon(true);
    waiting.start();
    assertFalse(changed.await(700, TimeUnit.MILLISECONDS));
    Files.writeString(folder.resolve("later.v4"), "*filter\nCOMMIT\n");
    assertTrue(changed.await(10, TimeUnit.SECONDS));
  }

  /** What a watch prints, as somebody before it would see it. */
  private static void await(StringWriter out, String text) throws InterruptedException {
    for (int i = 0; i < 300 && !out.toString().contains(text); i++) {
      TimeUnit.MILLISECONDS.sleep(100);
    }
    assertTrue(out.toString().contains(text), out::toString);
  }

  @Test
  void aWatchRunsAgainWhenRulesOrExperimentsAreSaved() throws Exception {
    String experiments = EXPERIMENTS.replace("WHAT", "tcp-reset");
    int rules = experiments.indexOf("rules: |");
    int end = experiments.indexOf("experiments:");
    String text = experiments.substring(0, rules) + "rules: r.v4\n" + experiments.substring(end);
    String good = "*filter\n-A INPUT -p tcp --dport 22 -j DROP\nCOMMIT\n";
    Path file = Files.writeString(folder.resolve("t.yaml"), text);
    Path ruleFile = Files.writeString(folder.resolve("r.v4"), good);
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = Main.commandLine("test");
    line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
    Thread watching = new Thread(() -> line.execute("test", file.toString(), "--watch"));
    watching.start();
    try {
      await(out, "2 experiments: all hold");
      // A rule file that the experiments name.
      Files.writeString(ruleFile, good.replace("22", "2222"));
      await(out, "2 experiments: 1 failed");
      // One in the middle of being written does not end the watch.
      Files.writeString(ruleFile, "*filter\n-A INP");
      await(err, "r.v4:2:");
      Files.writeString(ruleFile, good + "# mended\n");
      // The experiments themselves.
      Files.writeString(file, text.replace("tcp-reset", "none"));
      await(out, "answer: expected none");
      assertTrue(watching.isAlive());
    } finally {
      watching.interrupt();
      watching.join(10_000);
    }
    assertFalse(watching.isAlive());
  }
}
