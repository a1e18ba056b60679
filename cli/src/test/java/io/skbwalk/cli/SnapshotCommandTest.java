// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotCommandTest {
  @TempDir Path folder;

  private Path saved() throws IOException {
    Path saved = Files.createDirectories(folder.resolve("saved"));
    Files.writeString(
        saved.resolve("addr.json"),
        """
        [{"ifindex":2,"ifname":"eth0","flags":["UP"],"mtu":1500,"link_type":"ether",
          "address":"02:00:00:00:00:01","addr_info":[
            {"family":"inet","local":"203.0.113.1","prefixlen":24}]}]
        """);
    Files.writeString(saved.resolve("route.json"), "[]");
    Files.writeString(
        saved.resolve("iptables-nft.v4"),
        """
        *filter
        :INPUT ACCEPT [3:180]
        -A INPUT -p tcp -m tcp --dport 22 -j DROP
        -A INPUT -m cgroup --path "x" -j ACCEPT
        COMMIT
        """);
    return saved;
  }

  private Run snapshot(String... arguments) {
    List<String> all = new java.util.ArrayList<>(List.of("snapshot"));
    all.addAll(List.of(arguments));
    return Run.of(all.toArray(String[]::new));
  }

  @Test
  void walkAnswersForASavedMachine() throws IOException {
    String me = folder.resolve("me").toString();
    Run run = snapshot("--from", saved().toString(), "-o", me);
    assertEquals(0, run.status(), run.err());
    assertEquals("", run.out());
    assertTrue(
        run.err().contains("skbwalk: ss -H -l -n -p -e -O --inet-sockopt -t -u -w -0: "),
        run.err());
    assertTrue(run.err().contains("skbwalk: rule -A INPUT -m cgroup --path \"x\" -j ACCEPT: "));
    Run walk =
        Run.of(
            "walk",
            "--host",
            me + "/host.yaml",
            "--rules",
            me + "/rules.v4",
            "--send",
            "eth0 tcp 203.0.113.9:40000 > 203.0.113.1:22 S");
    assertEquals(0, walk.status(), walk.err());
    assertTrue(walk.out().contains("=> dropped"), walk.out());
    assertTrue(walk.out().contains("--dport 22 -j DROP"), walk.out());
  }

  @Test
  void theSameTwice() throws IOException {
    Path saved = saved();
    for (String name : List.of("a", "b")) {
      Path out = folder.resolve(name);
      assertEquals("", snapshot("--from", saved + "", "-o", out + "", "--quiet").err());
    }
    for (String file : List.of("host.yaml", "rules.v4")) {
      assertEquals(
          Files.readString(folder.resolve("a").resolve(file)),
          Files.readString(folder.resolve("b").resolve(file)));
    }
  }

  @Test
  void whatCannotBeUsedIsOneLine() throws IOException {
    Path saved = saved();
    Files.delete(saved.resolve("route.json"));
    Run run = snapshot("--from", saved.toString(), "-o", folder.resolve("x").toString());
    assertEquals(2, run.status());
    assertEquals(
        "skbwalk: "
            + saved.resolve("route.json")
            + ": no such file; on the machine: ip -4 -N -j -d route show table all > route.json\n",
        run.err());
    Files.writeString(saved.resolve("route.json"), "default via 192.0.2.1\n");
    run = snapshot("--from", saved.toString(), "-o", folder.resolve("x").toString());
    assertEquals(2, run.status());
    assertTrue(run.err().startsWith("skbwalk: " + saved + "/route.json:1:1: "), run.err());
    assertEquals(2, snapshot("--from", "a", "--netns", "b", "-o", "c").status());
    assertEquals(
        "skbwalk: nowhere: no such folder\n", snapshot("--from", "nowhere", "-o", "c").err());
  }
}
