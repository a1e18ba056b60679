// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LintCommandTest {
  private static final String BAD =
      """
      *filter
      :INPUT DROP
      :FORWARD DROP
      :OUTPUT ACCEPT
      -A INPUT -p tcp -j ACCEPT
      -A INPUT -p tcp -m tcp --dport 22 -j DROP
      COMMIT
      """;

  @TempDir private Path folder;

  private String bad() throws IOException {
    return Files.writeString(folder.resolve("bad.v4"), BAD).toString();
  }

  @Test
  void aFindingNamesBothRulesAndAPacketToSeeItBy() throws IOException {
    String file = bad();
    Run run = Run.of("lint", file);
    assertEquals(1, run.status(), run.err());
    assertEquals(
        """
        FILE:6: filter/INPUT#2 can never match
            -p tcp -m tcp --dport 22 -j DROP
          Rule 1 already accepts everything that this one asks for.
            FILE:5  filter/INPUT#1  -p tcp -j ACCEPT
          See it (ACCEPT by filter/INPUT#1):
            skbwalk walk --as 203.0.113.1 --rules FILE --send 'eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 S'

        1 finding
        """,
        run.out().replace(file, "FILE"));
    Run walk =
        Run.of(
            "walk",
            "--as",
            "203.0.113.1",
            "--rules",
            file,
            "--send",
            "eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 S");
    assertEquals(0, walk.status(), walk.err());
    assertTrue(walk.out().contains(":5"), walk.out());
  }

  @Test
  void nothingFoundIsZeroAndUnusableInputTwo() {
    Run clean = Run.of("lint", "../rules/web-server.yaml");
    assertEquals("0 nothing found\n", clean.status() + " " + clean.out());
    assertEquals(2, Run.of("lint", "../rules/no-such-file").status());
    assertEquals(2, Run.of("lint", "../pcaps/http.pcap").status());
  }

  @Test
  void aCaptureShowsWhatNothingMatched() throws IOException {
    Run run =
        Run.of(
            "lint",
            "../rules/nat-router.yaml",
            "../pcaps/nat-router.pcapng",
            "--host",
            "../config/router.yaml",
            "--json");
    assertEquals(1, run.status(), run.err());
    assertTrue(run.out().contains("{\"kind\":\"unused\""), run.out());
  }

  @Test
  void aCaptureShowsABetterOrder() throws IOException {
    String rules =
        """
        *filter
        :INPUT ACCEPT
        -A INPUT -p udp -m udp --dport 53 -j DROP
        -A INPUT -p icmp -j DROP
        -A INPUT -p tcp -j ACCEPT
        -A INPUT -j DROP
        COMMIT
        """;
    String file = Files.writeString(folder.resolve("slow.v4"), rules).toString();
    Run run = Run.of("lint", file, "../pcaps/http.pcap");
    assertEquals(1, run.status(), run.err());
    assertTrue(run.out().contains("filter/INPUT#3 could stand earlier"), run.out());
    assertTrue(run.out().contains("before rule 1 it would decide the same"), run.out());
  }
}
