// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    // The packet that shows it is one of the capture, and the command finds it there.
    String see = "skbwalk walk ../pcaps/http.pcap --rules " + file + " --packet 3";
    assertTrue(run.out().contains("See it (ACCEPT by filter/INPUT#3, and there, too):"), run.out());
    assertTrue(run.out().contains(see + "\n"), run.out());
    Run walk = Run.of("walk", "../pcaps/http.pcap", "--rules", file, "--packet", "3");
    assertTrue(walk.out().contains("slow.v4:5"), walk.out());
  }

  @Test
  void whatChangesNothingIsShownWithAndWithoutIt() throws IOException {
    String rules =
        """
        *filter
        :INPUT DROP
        :web -
        -A INPUT -s 198.51.100.0/24 -j ACCEPT
        -A INPUT -p tcp -j web
        -A INPUT -j ACCEPT
        COMMIT
        """;
    String file = Files.writeString(folder.resolve("idle.v4"), rules).toString();
    Run run = Run.of("lint", file);
    assertEquals(
        """
        FILE:4: filter/INPUT#1 changes nothing
            -s 198.51.100.0/24 -j ACCEPT
          Without it, rule 3 would accept the same packets.
            FILE:6  filter/INPUT#3  -j ACCEPT
          See it (ACCEPT by filter/INPUT#1; without it, ACCEPT by filter/INPUT#3):
            skbwalk walk --as 203.0.113.1 --rules FILE --send 'eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 S'

        FILE:5: filter/INPUT#2 does nothing
            -p tcp -j web
          Chain web is empty, so jumping there does nothing.
          See it (matches filter/INPUT#2; then ACCEPT by filter/INPUT#3, with or without it):
            skbwalk walk --as 203.0.113.1 --rules FILE --send 'eth0 tcp 1.0.0.9:40000 > 203.0.113.1:22 S'

        2 findings
        """,
        run.out().replace(file, "FILE"));
  }

  /** Forwarded, sent, over loopback, in the middle of a connection: each command can be pasted. */
  @Test
  void everyPacketToSeeItByIsWalked() throws IOException {
    String rules =
        """
        *filter
        :INPUT DROP
        :FORWARD DROP
        :OUTPUT ACCEPT
        -A INPUT -i lo -j ACCEPT
        -A INPUT -i lo -p icmp -j DROP
        -A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
        -A FORWARD -i ppp0 -p udp -j ACCEPT
        -A FORWARD -i ppp0 -p udp -m udp --dport 53 -j DROP
        -A OUTPUT -p gre -j DROP
        -A OUTPUT -p gre -o eth1 -j ACCEPT
        COMMIT
        """;
    String file = Files.writeString(folder.resolve("kinds.v4"), rules).toString();
    Run run = Run.of("lint", file);
    List<String> commands =
        run.out().lines().map(String::strip).filter(one -> one.startsWith("skbwalk ")).toList();
    assertEquals(4, commands.size(), run.out());
    assertTrue(run.out().contains("then DROP by filter/INPUT policy"), run.out());
    for (String command : commands) {
      List<String> words = new ArrayList<>();
      Matcher word = Pattern.compile("'([^']*)'|(\\S+)").matcher(command);
      while (word.find()) {
        words.add(word.group(1) != null ? word.group(1) : word.group());
      }
      Run walk = Run.of(words.subList(1, words.size()).toArray(String[]::new));
      assertEquals(0, walk.status(), walk.err());
      long packets = words.stream().filter("--send"::equals).count();
      assertEquals(packets, walk.out().lines().filter(one -> one.startsWith("  =>")).count());
      assertTrue(walk.out().contains("kinds.v4:"), walk.out());
    }
  }

  @Test
  void aMachineShowsWhatCannotComeToIt() throws IOException {
    String rules =
        """
        *nat
        -A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.7.80:80
        COMMIT
        *filter
        :FORWARD DROP
        -A FORWARD -i eth0 -p tcp -m tcp --dport 8080 -j ACCEPT
        -A FORWARD -i eth2 -j ACCEPT
        -A FORWARD -d 192.168.7.0/24 -o eth0 -j ACCEPT
        COMMIT
        """;
    String file = Files.writeString(folder.resolve("wrong.v4"), rules).toString();
    Run run = Run.of("lint", file, "--host", "../config/router.yaml");
    // Where the line of the cause is cut depends on the folder's name.
    assertEquals(
        """
        FILE:2: nat/PREROUTING#1 leads to where everything is dropped
            -i eth0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 192.168.7.80:80
          It sends connections to 192.168.7.80:80, but FORWARD accepts none of them; rules there accept the
          old address and port, and see the new ones.
            FILE:6  filter/FORWARD#1
          See it (DNAT by nat/PREROUTING#1, then DROP by filter/FORWARD policy):
            skbwalk walk --host ../config/router.yaml --rules FILE --send 'eth0 tcp 198.51.100.9:40000 > 203.0.113.1:8080 S'

        FILE:7: filter/FORWARD#2 can never match on this machine
            -i eth2 -j ACCEPT
          This machine has no interface eth2; it has eth0, eth1, lo.

        FILE:8: filter/FORWARD#3 can never match on this machine
            -d 192.168.7.0/24 -o eth0 -j ACCEPT
          No packet that this machine forwards has "-d 192.168.7.0/24" and "-o eth0" both; its routes lead
          elsewhere.
          See it (DROP by filter/FORWARD policy, without a match at filter/FORWARD#3):
            skbwalk walk --host ../config/router.yaml --rules FILE --send 'eth0 tcp 198.51.100.9:40000 > 192.168.7.9:22 S'

        3 findings
        """,
        run.out().replace(file, "FILE").replaceAll("(FILE:6  filter/FORWARD#1) .*", "$1"));
    Run bad = Run.of("lint", file, "--host", "../rules/web-server.yaml");
    assertEquals(2, bad.status());
  }
}
