// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code walk --format dot}. */
class WalkDotTest {
  private static final Path DOT = Path.of("/usr/bin/dot");

  private static final String[] ROUTER = {
    "--host", "../config/router.yaml", "--rules", "../rules/nat-router.yaml"
  };

  private static String draw(String[] machine, String... more) {
    String[] all =
        Stream.of(
                Stream.of("walk", "--format", "dot", "--quiet"),
                Stream.of(machine),
                Stream.of(more))
            .flatMap(words -> words)
            .toArray(String[]::new);
    Run run = Run.of(all);
    assertEquals(0, run.status(), run::err);
    return run.out();
  }

  /** The ways drawn in that style, without the packet's number. */
  private static String ways(String graph, String style) {
    return new DotSyntax(graph)
        .edges.stream()
            .filter(edge -> edge.attributes().contains("style=" + style))
            .map(
                edge ->
                    edge.from().replaceFirst("p1_", "") + ">" + edge.to().replaceFirst("p1_", ""))
            .collect(Collectors.joining(" "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 S | IN>PRE_ROUTING PRE_ROUTING>ROUTE"
            + " ROUTE>FORWARD FORWARD>POST_ROUTING POST_ROUTING>OUT | ''",
        "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:9 S | IN>PRE_ROUTING PRE_ROUTING>ROUTE"
            + " ROUTE>LOCAL_IN LOCAL_IN>end1 | ''",
        "eth1 icmp 192.168.7.2 > 192.168.7.1 | IN>PRE_ROUTING PRE_ROUTING>ROUTE ROUTE>LOCAL_IN"
            + " LOCAL_IN>LOCAL | LOCAL>ROUTE_OUT ROUTE_OUT>LOCAL_OUT LOCAL_OUT>POST_ROUTING"
            + " POST_ROUTING>OUT",
        "eth1 icmp 192.168.7.2 > 198.51.100.9 ttl=1 | IN>PRE_ROUTING PRE_ROUTING>ROUTE ROUTE>end1"
            + " | LOCAL>ROUTE_OUT ROUTE_OUT>LOCAL_OUT LOCAL_OUT>POST_ROUTING POST_ROUTING>OUT"
            + " ROUTE>LOCAL",
      })
  void drawsTheWayOfThePacketAndOfWhatItCauses(String packet, String taken, String caused) {
    String graph = draw(ROUTER, "--send", packet);
    assertEquals(taken, ways(graph, "bold"));
    assertEquals(caused, ways(graph, "dashed"));
  }

  /** What a packet socket sends, and ARP, passes no hook. */
  @Test
  void drawsNoHookThatIsNotPassed() {
    String graph = draw(ROUTER, "../pcaps/nat-router.pcapng", "--packet", "2");
    assertEquals("LOCAL>OUT", ways(graph, "bold"));
    graph = draw(ROUTER, "../pcaps/nat-router.pcapng", "--packet", "1");
    assertEquals("IN>ARP", ways(graph, "bold"));
    assertEquals("ARP>end1", ways(graph, "dashed"));
  }

  @Test
  void namesRulesWithTheirPlaceAndWhatTheyChange() {
    String graph =
        draw(ROUTER, "--send", "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 S", "--misses");
    for (String text :
        new String[] {
          "rule 1 ",
          "rules/nat-router.yaml:15",
          "rules/nat-router.yaml:44",
          "destination 203.0.113.1:8080 -&gt; 192.168.7.80:80",
          "no, came in on eth0",
          "forwarded to eth1",
        }) {
      assertTrue(graph.contains(text), () -> text + " in " + graph);
    }
  }

  @Test
  void keepsMarkupInRulesApart(@TempDir Path folder) throws IOException {
    Path rules = folder.resolve("odd.v4");
    Files.writeString(
        rules,
        """
        *filter
        :INPUT ACCEPT [0:0]
        -A INPUT -m comment --comment "<b> & \\"quoted\\" } ] ->" -j DROP
        COMMIT
        """);
    String[] machine = {"--host", "../config/web.yaml", "--rules", rules.toString()};
    String graph = draw(machine, "--send", "eth0 icmp 198.51.100.9 > 203.0.113.80");
    assertTrue(graph.contains("&lt;b&gt; &amp; "), graph);
    assertEquals("LOCAL_IN>end1", ways(graph, "bold").replaceFirst(".* ", ""));
  }

  @Test
  void givesEachPacketACardOfItsOwn() {
    String graph = draw(ROUTER, "../pcaps/nat-router.pcapng", "--packet", "3,9,11");
    assertEquals(3, graph.lines().filter(line -> line.contains("subgraph cluster_p")).count());
    new DotSyntax(graph);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "portscan.pcap",
        "fragments.pcap",
        "vlan.pcap",
        "broadcast-multicast.pcap",
        "arp.pcap",
        "tunnel-rawip.pcap"
      })
  void isInTheLanguageOfGraphviz(String sample) throws Exception {
    String graph = draw(new String[0], "../pcaps/" + sample, "--packet", "1-20", "--misses");
    assertFalse(new DotSyntax(graph).edges.isEmpty());
    assumeTrue(
        Files.isExecutable(DOT), "no dot here (Debian's graphviz): it was not asked for a picture");
    Process dot = new ProcessBuilder(DOT.toString(), "-Tcanon").redirectErrorStream(true).start();
    dot.getOutputStream().write(graph.getBytes(StandardCharsets.UTF_8));
    dot.getOutputStream().close();
    String said = new String(dot.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, dot.waitFor(), said);
    assertTrue(said.startsWith("digraph walk"), said);
  }

  /** Layout is what finds nodes in two ranks and labels that cannot be set. */
  @Test
  void isLaidOutWithoutAWarning(@TempDir Path folder) throws Exception {
    assumeTrue(
        Files.isExecutable(DOT), "no dot here (Debian's graphviz): it was not asked for a picture");
    Path graph = folder.resolve("walk.dot");
    Files.writeString(graph, draw(ROUTER, "../pcaps/nat-router.pcapng", "--packet", "1,2,9"));
    Path svg = folder.resolve("walk.svg");
    Process dot =
        new ProcessBuilder(DOT.toString(), "-Tsvg", graph.toString(), "-o", svg.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(dot.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, dot.waitFor(), said);
    assertEquals("", said);
    assertTrue(Files.readString(svg).contains("PREROUTING"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--json | --format dot is the whole walk as a picture; leave --json away",
        "--only nat | --format dot is the whole walk as a picture; leave --only away",
        "--quiet | --format dot: more than 50 packets are chosen",
      })
  void refuses(String option, String start) {
    String[] words =
        ("walk ../pcaps/http.pcap --format dot --as 203.0.113.80 " + option).split(" ");
    Run run = Run.of(words);
    assertEquals(2, run.status(), () -> Arrays.toString(words) + run.err());
    assertTrue(run.err().startsWith("skbwalk: " + start), run::err);
    assertEquals("", run.out());
  }
}
