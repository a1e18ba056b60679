// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiffCommandTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static Schema schema() throws IOException {
    return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
        .getSchema(Files.readString(Path.of("../docs/diff.schema.json")));
  }

  /** One object a frame, by its number. */
  private static Map<Long, JsonNode> lines(Path file) throws IOException {
    Map<Long, JsonNode> lines = new TreeMap<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode node = JSON.readTree(line);
      lines.put(node.get("n").asLong(), node);
    }
    return lines;
  }

  private static Map<Long, JsonNode> replay(List<String> words, String rules, Path out)
      throws IOException {
    List<String> command = new ArrayList<>(List.of("replay"));
    command.addAll(words);
    command.addAll(List.of("--rules", rules, "--out", out.toString(), "--save", "packets"));
    command.addAll(List.of("--trace", out + ".trace", "--quiet"));
    Run run = Run.of(command.toArray(String[]::new));
    assertEquals(0, run.status(), run::err);
    Map<Long, JsonNode> packets = lines(out.resolve("packets.jsonl"));
    assertEquals(packets.keySet(), lines(Path.of(out + ".trace")).keySet());
    return packets;
  }

  private static String text(JsonNode node, String at) {
    return node.at(at).asText();
  }

  private static boolean dropped(JsonNode packet) {
    return text(packet, "/fate").equals("dropped");
  }

  /** What packets.jsonl says of a packet's fate, as far as somebody could notice. */
  private static String fate(JsonNode packet) {
    boolean byRule = text(packet, "/reason").equals("NETFILTER_DROP");
    boolean rejected = byRule && text(packet, "/verdict/target").equals("REJECT");
    return text(packet, "/fate")
        + " "
        + text(packet, "/reason")
        + " "
        + text(packet, "/at")
        + (rejected ? " REJECT" : "");
  }

  /** Where it left, and what the walk says of addresses, ports, marks, tos and ttl. */
  private static String leaving(JsonNode packet, JsonNode walk) {
    TreeSet<String> said = new TreeSet<>();
    String fate = text(packet, "/fate");
    for (JsonNode out : packet.path("out")) {
      if (fate.equals("forwarded") || fate.equals("sent")) {
        said.add(text(out, "/interface"));
      }
    }
    for (JsonNode change : walk.path("changed")) {
      String field = text(change, "/field");
      if (!field.matches("checksums|id|length|fragment")) {
        said.add(field + " " + text(change, "/after"));
      }
    }
    return said.toString();
  }

  private static String rule(JsonNode packet) {
    JsonNode verdict = packet.path("verdict");
    return verdict.isMissingNode()
        ? "no rule"
        : "%s/%s#%d %s"
            .formatted(
                text(verdict, "/table"),
                text(verdict, "/chain"),
                verdict.path("rule").asInt(),
                text(verdict, "/source"));
  }

  /** Without NAT, so that whoever decided in the end is responsible. */
  @ParameterizedTest
  @CsvSource({
    "portscan.pcap, web.yaml, web-server.yaml, ufw.v4",
    "ssh-bruteforce.pcap, web.yaml, web-server.yaml, bastion.yaml",
    "http.pcap, web.yaml, bastion.yaml, web-server.yaml",
    "synflood.pcap.gz, web.yaml, web-server.yaml, bastion.yaml",
    "fragments.pcap, web.yaml, ufw.v4, web-server.yaml",
    "ping.pcap, workstation.yaml, workstation.yaml, bastion.yaml",
    "dns.pcap, workstation.yaml, workstation.yaml, ufw.v4",
    "vlan.pcap, trunk.yaml, nat-router.yaml, nat-router.yaml",
  })
  void saysWhatComparingTwoReplaysByHandSays(
      String capture, String host, String oldRules, String newRules, @TempDir Path folder)
      throws IOException {
    compare(
        List.of("../pcaps/" + capture, "--host", "../config/" + host),
        "../rules/" + oldRules,
        "../rules/" + newRules,
        true,
        folder);
  }

  /** With NAT and marks; what arrived at the router only, so that both machines send for it. */
  @ParameterizedTest
  @CsvSource({
    "nat-router.yaml, traffic-classes.yaml",
    "traffic-classes.yaml, lab.yaml",
    "nat-router.yaml, lab.yaml",
    "nat-router.yaml, web-server.yaml",
  })
  void comparesWhatARouterDoes(String oldRules, String newRules, @TempDir Path folder)
      throws IOException {
    Path arrived = folder.resolve("arrived.pcapng");
    arrived(arrived);
    compare(
        List.of(arrived.toString(), "--host", "../config/router.yaml", "--answers", "stack"),
        untraced(oldRules, folder),
        untraced(newRules, folder),
        false,
        folder);
  }

  /** The same rules without TRACE, so that the walks of all packets are there. */
  private static String untraced(String rules, Path folder) throws IOException {
    Path copy = folder.resolve(rules);
    List<String> lines = Files.readAllLines(Path.of("../rules", rules));
    Files.write(copy, lines.stream().filter(line -> !line.contains("TRACE")).toList());
    return copy.toString();
  }

  private static void arrived(Path file) throws IOException {
    try (CaptureReader in = CaptureReader.open("../pcaps/nat-router.pcapng");
        CaptureWriter out = CaptureWriter.pcapng(file)) {
      List<String> interfaces = new ArrayList<>();
      while (in.next()) {
        ByteBuffer frame = ByteBuffer.allocate(in.capturedLength());
        in.copyTo(frame.array(), 0, in.capturedLength());
        long source = frame.getLong(4) & 0xFFFFFFFFFFFFL;
        if (source != 0x020000000001L && source != 0x020000000101L) {
          if (!interfaces.contains(in.interfaceName())) {
            interfaces.add(in.interfaceName());
            out.addInterface(in.interfaceName(), LinkType.ETHERNET);
          }
          out.write(interfaces.indexOf(in.interfaceName()), in.timestampNanos(), frame.array());
        }
      }
    }
  }

  private static void compare(
      List<String> words, String oldRules, String newRules, boolean rulesToo, Path folder)
      throws IOException {
    Path oldOut = folder.resolve("old");
    Path newOut = folder.resolve("new");
    Map<Long, JsonNode> olds = replay(words, oldRules, oldOut);
    Map<Long, JsonNode> news = replay(words, newRules, newOut);
    assertEquals(olds.keySet(), news.keySet());
    Map<Long, JsonNode> oldWalks = lines(Path.of(oldOut + ".trace"));
    Map<Long, JsonNode> newWalks = lines(Path.of(newOut + ".trace"));
    TreeSet<Long> changed = new TreeSet<>();
    Map<String, Long> byHand = new TreeMap<>();
    long bytes = 0;
    for (long n : olds.keySet()) {
      JsonNode old = olds.get(n);
      JsonNode now = news.get(n);
      boolean otherFate = !fate(old).equals(fate(now));
      if (otherFate
          || !dropped(old)
              && !leaving(old, oldWalks.get(n)).equals(leaving(now, newWalks.get(n)))) {
        changed.add(n);
        bytes += old.get("length").asLong();
      }
      if (otherFate) {
        String key = fate(old) + " -> " + fate(now);
        byHand.merge(rulesToo ? key + ": " + rule(old) + " -> " + rule(now) : key, 1L, Long::sum);
      }
    }
    List<String> command = new ArrayList<>(List.of("diff"));
    command.addAll(words);
    command.addAll(List.of("--rules", oldRules, "--against", newRules, "--json"));
    Run run = Run.of(command.toArray(String[]::new));
    assertEquals(changed.isEmpty() ? 0 : 1, run.status(), run::err);
    JsonNode report = JSON.readTree(run.out());
    assertEquals(olds.size(), report.at("/packets").asLong());
    Map<String, Long> told = new TreeMap<>();
    long sum = 0;
    for (JsonNode group : report.at("/groups")) {
      long n = group.at("/example/n").asLong();
      assertTrue(changed.contains(n), "by hand " + n + " is the same");
      sum += group.at("/packets").asLong();
      if (text(group, "/change").equals("fate")) {
        String key = fate(group, "/old") + " -> " + fate(group, "/new");
        told.merge(
            rulesToo ? key + ": " + rule(group, "/old") + " -> " + rule(group, "/new") : key,
            group.at("/packets").asLong(),
            Long::sum);
      }
    }
    assertEquals(byHand, told);
    assertEquals(changed.size(), report.at("/changed/packets").asLong());
    assertEquals(changed.size(), sum);
    assertEquals(bytes, report.at("/changed/bytes").asLong());
  }

  private static String fate(JsonNode group, String side) {
    boolean rejected = group.at(side + "/rejected").asBoolean();
    return text(group, side + "/fate")
        + " "
        + text(group, side + "/reason")
        + " "
        + text(group, side + "/at")
        + (rejected ? " REJECT" : "");
  }

  private static String rule(JsonNode group, String side) {
    JsonNode rule = group.at(side + "/rule");
    // A policy's own line is not in packets.jsonl.
    return rule.isMissingNode()
        ? "no rule"
        : "%s/%s#%d %s"
            .formatted(
                text(rule, "/table"),
                text(rule, "/chain"),
                rule.path("rule").asInt(),
                rule.path("rule").isMissingNode() ? "" : text(rule, "/source"));
  }

  private static final String HOST =
      """
      hostname: router
      interfaces:
        eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
        eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
        eth2: {macaddress: "02:00:00:00:02:01", addresses: [10.0.0.1/24]}
      routes: [{to: default, via: 203.0.113.254}, {to: default, via: 10.0.0.254, table: 100}]
      routing-policy: [{mark: 1, table: 100, priority: 1000}]
      sysctls: {net.ipv4.ip_forward: 1}
      assume-neighbours: true
      sockets: [{protocol: tcp, port: 22}]
      """;

  private static final String PACKETS =
      """
      host: host.yaml
      rules: |
        *nat
        -A POSTROUTING -o eth0 -j MASQUERADE
        COMMIT
        *filter
        :INPUT DROP [0:0]
        -A INPUT -p tcp --dport 22 -j ACCEPT
        COMMIT
      experiments:
        - name: one
          packets:
            - {in: eth1, tcp: {from: "192.168.7.2:4000", to: "198.51.100.80:80", flags: S, seq: 1}}
            - {in: eth0, tcp: {from: "198.51.100.80:80", to: "203.0.113.1:4000", flags: SA, seq: 8, ack: 2}}
            - {in: eth1, tcp: {from: "192.168.7.2:4000", to: "198.51.100.80:80", flags: A, seq: 2, ack: 9}}
            - {in: eth1, tcp: {from: "192.168.7.2:4001", to: "198.51.100.80:80", flags: S, seq: 1}}
            - {in: eth0, udp: {from: "198.51.100.9:9", to: "203.0.113.1:9"}}
            - {in: eth0, tcp: {from: "198.51.100.9:5000", to: "203.0.113.1:22", flags: S, seq: 1}}
      """;

  /** New rules, then what is said of each group: change, packets, flows, rules, an example. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "*filter; -A INPUT -p tcp --dport 22 -j DROP; -A INPUT -j DROP; COMMIT; *nat; -A"
            + " POSTROUTING -o eth0 -j MASQUERADE; COMMIT"
            + " | fate 1 1 filter/INPUT#1 -> filter/INPUT#1 #6",
        // The answer finds no connection any more, and what answers that is INVALID.
        "*filter; -P INPUT DROP; -A INPUT -p tcp --dport 22 -j ACCEPT; COMMIT; *nat; -A POSTROUTING"
            + " -o eth0 -p tcp -j SNAT --to-source 203.0.113.1:7000-7001; COMMIT"
            + " | nat 2 2 nat/POSTROUTING#1 -> nat/POSTROUTING#1 #1"
            + "; fate 1 1 nat/POSTROUTING#1 -> nat/POSTROUTING#1 #2"
            + "; nat 1 1 nat/POSTROUTING#1 -> nat/POSTROUTING#1 #3",
        "*filter; -P INPUT DROP; -A INPUT -p tcp --dport 22 -j ACCEPT; COMMIT; *mangle; -A"
            + " PREROUTING -p tcp --sport 4001 -j MARK --set-mark 1; COMMIT; *nat; -A POSTROUTING"
            + " -o eth0 -j MASQUERADE; COMMIT"
            + " | nat 1 1 nat/POSTROUTING#1 -> no rule #4",
        "*filter; -P INPUT DROP; -A INPUT -p tcp --dport 22 -j ACCEPT; COMMIT; *mangle; -A"
            + " PREROUTING -p tcp --sport 4001 -j MARK --set-mark 2; COMMIT; *nat; -A POSTROUTING"
            + " -o eth0 -j MASQUERADE; COMMIT"
            + " | mark 1 1 no rule -> mangle/PREROUTING#1 #4",
        "*filter; -P INPUT DROP; -A INPUT -p tcp --dport 22 -j ACCEPT; COMMIT; *mangle; -A"
            + " PREROUTING -p tcp --sport 4001 -j TTL --ttl-set 9; COMMIT; *nat; -A POSTROUTING"
            + " -o eth0 -j MASQUERADE; COMMIT"
            + " | header 1 1 no rule -> mangle/PREROUTING#1 #4",
        "*filter; -P INPUT DROP; -A INPUT -p udp -j REJECT; -A INPUT -p tcp --dport 22 -j ACCEPT;"
            + " COMMIT; *nat; -A POSTROUTING -o eth0 -j MASQUERADE; COMMIT"
            + " | fate 1 1 filter/INPUT -> filter/INPUT#1 #5",
        "*filter; -P INPUT DROP; -A INPUT -p tcp --dport 22 -j ACCEPT; COMMIT; *nat; -A"
            + " POSTROUTING -o eth0 -j MASQUERADE; COMMIT |",
      })
  void namesThePairOfRules(String rules, String groups, @TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("host.yaml"), HOST);
    Path scenario = Files.writeString(folder.resolve("packets.yaml"), PACKETS);
    String text = rules.replace("; ", "\n").replace("-P INPUT DROP", ":INPUT DROP [0:0]");
    Path against = Files.writeString(folder.resolve("new.v4"), text + "\n");
    Run run = Run.of("diff", scenario.toString(), "--against", against.toString(), "--json");
    assertEquals(groups == null ? 0 : 1, run.status(), run::err);
    assertEquals(groups == null ? "" : groups, told(run));
  }

  /** The recording goes on with a connection that one machine never knew. */
  @Test
  void whatDropsTheFirstPacketIsResponsibleForOtherAddresses(@TempDir Path folder)
      throws IOException {
    Files.writeString(folder.resolve("host.yaml"), HOST);
    String forward =
        "*nat\n-A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to 192.168.7.80:80\n"
            + "-A POSTROUTING -o eth0 -j MASQUERADE\nCOMMIT\n*filter\n-A FORWARD -j ACCEPT\nCOMMIT\n";
    Path old = Files.writeString(folder.resolve("old.v4"), forward);
    Path against =
        Files.writeString(
            folder.resolve("new.v4"), forward.replace("-j ACCEPT", "-p tcp --syn -j DROP"));
    Path scenario =
        Files.writeString(
            folder.resolve("packets.yaml"),
            """
            host: host.yaml
            experiments:
              - name: a visitor
                packets:
                  - {in: eth0, tcp: {from: "198.51.100.9:5000", to: "203.0.113.1:8080", flags: S, seq: 1}}
                  - {in: eth1, tcp: {from: "192.168.7.80:80", to: "198.51.100.9:5000", flags: SA, seq: 8, ack: 2}}
                  - {in: eth0, tcp: {from: "198.51.100.9:5000", to: "203.0.113.1:8080", flags: A, seq: 2, ack: 9}}
            """);
    Run run =
        Run.of(
            "diff",
            scenario.toString(),
            "--rules",
            old.toString(),
            "--against",
            against.toString(),
            "--json");
    assertEquals(1, run.status(), run::err);
    assertEquals(
        "fate 1 1 filter/FORWARD#1 -> filter/FORWARD#1 #1; nat 1 1 filter/FORWARD#1 ->"
            + " filter/FORWARD#1 #2",
        told(run));
  }

  /** Of each group: change, packets, flows, rules, an example. */
  private static String told(Run run) throws IOException {
    List<String> told = new ArrayList<>();
    for (JsonNode group : JSON.readTree(run.out()).at("/groups")) {
      told.add(
          "%s %d %d %s -> %s #%d"
              .formatted(
                  text(group, "/change"),
                  group.at("/packets").asLong(),
                  group.at("/flows").asLong(),
                  place(group.at("/old/rule")),
                  place(group.at("/new/rule")),
                  group.at("/example/n").asLong()));
    }
    return String.join("; ", told);
  }

  private static String place(JsonNode rule) {
    if (rule.isMissingNode()) {
      return "no rule";
    }
    String number = rule.path("rule").isMissingNode() ? "" : "#" + rule.path("rule").asInt();
    return text(rule, "/table") + "/" + text(rule, "/chain") + number;
  }

  @Test
  void comparesHosts(@TempDir Path folder) throws IOException {
    Files.writeString(folder.resolve("host.yaml"), HOST);
    Path scenario = Files.writeString(folder.resolve("packets.yaml"), PACKETS);
    Path other =
        Files.writeString(
            folder.resolve("other.yaml"),
            HOST.replace("{to: default, via: 203.0.113.254}", "{to: default, via: 10.0.0.254}"));
    Run run = Run.of("diff", scenario.toString(), "--against-host", other.toString());
    assertEquals(1, run.status(), run::err);
    assertTrue(run.out().contains("no rule"), run::out);
  }

  /** The capture has what the real router sent, which only one of the machines sends by itself. */
  @Test
  void sendsNothingAgainThatOneMachineHasSent(@TempDir Path folder) throws IOException {
    Path closed = folder.resolve("closed.v4");
    Files.writeString(closed, "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n");
    String capture = "../pcaps/nat-router.pcapng";
    String host = "../config/router.yaml";
    String rules = "../pcaps/nat-router.v4";
    Run open = Run.of("replay", capture, "--host", host, "--rules", rules, "--json");
    long again = JSON.readTree(open.out()).at("/frames/seenAgain").asLong();
    assertTrue(again > 0);
    Run run =
        Run.of(
            "diff",
            capture,
            "--host",
            host,
            "--rules",
            rules,
            "--against",
            closed.toString(),
            "--json");
    JsonNode report = JSON.readTree(run.out());
    assertEquals(
        JSON.readTree(open.out()).at("/frames/in").asLong(), report.at("/packets").asLong());
    for (JsonNode group : report.at("/groups")) {
      boolean sent = text(group, "/new/fate").equals("sent");
      assertTrue(!sent || text(group, "/old/fate").equals("sent"), group::toString);
    }
  }

  @Test
  void printsWhatItsSchemaSays() throws IOException {
    Schema schema = schema();
    Run run =
        Run.of(
            "diff",
            "../pcaps/nat-router.pcapng",
            "--host",
            "../config/router.yaml",
            "--rules",
            "../rules/nat-router.yaml",
            "--against",
            "../rules/lab.yaml",
            "--json");
    assertEquals(1, run.status(), run::err);
    assertEquals(List.of(), schema.validate(run.out(), InputFormat.JSON));
  }

  @Test
  void comparesOnlyWhatTheFilterTakes() {
    List<String> words =
        List.of(
            "diff",
            "../pcaps/portscan.pcap",
            "--host",
            "../config/web.yaml",
            "--rules",
            "../rules/web-server.yaml",
            "--against",
            "../rules/ufw.v4",
            "--filter");
    List<String> udp = new ArrayList<>(words);
    udp.add("udp port 53");
    Run run = Run.of(udp.toArray(String[]::new));
    assertEquals(1, run.status(), run::err);
    assertTrue(run.out().contains(" 4 change (2 flows, 252 bytes)"), run::out);
    List<String> nothing = new ArrayList<>(words);
    nothing.addAll(List.of("tcp port 80", "--quiet"));
    run = Run.of(nothing.toArray(String[]::new));
    assertEquals("", run.out() + run.err());
    assertEquals(0, run.status());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "diff HTTP | what is to be compared? Give the new rules with --against RULES",
        "diff --against ../rules/ufw.v4 | a capture is missing",
        "diff HTTP --against nofile.v4 | nofile.v4: no such file",
        "diff HTTP --against-host ../rules/web-server.yaml | ../rules/web-server.yaml:4:1: unknown"
            + " key \"tables\"",
        "diff --in eth1=HTTP --host ../config/router.yaml --against-host ../config/web.yaml | --in"
            + " eth1=...: the host has no such interface; it has eth0",
      })
  void saysInOneLineWhatIsWrong(String arguments, String start) {
    Run run =
        Run.of(
            Arrays.stream(arguments.split(" "))
                .map(word -> word.replace("HTTP", "../pcaps/http.pcap"))
                .toArray(String[]::new));
    assertEquals(2, run.status(), run::err);
    assertTrue(run.err().startsWith("skbwalk: " + start), run::err);
    assertEquals(1, run.err().lines().count(), run::err);
  }

  @Test
  void whatABrokenConversationDoesNotSendIsTold(@TempDir Path folder) throws IOException {
    Path scenario =
        Files.writeString(
            folder.resolve("visit.yaml"),
            """
            host:
              interfaces:
                eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
                eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
              routes: [{to: default, via: 203.0.113.254}]
              assume-neighbours: true
              sysctls: {net.ipv4.ip_forward: 1}
            experiments:
              - packets:
                  - {in: eth1, tcp-session: {from: "192.168.7.2:40000", to: "198.51.100.9:80", send: "GET /", reply: "200"}}
                  - {after: 1s, in: eth1, ping: {from: 192.168.7.2, to: 198.51.100.9}}
            """);
    Path against =
        Files.writeString(
            folder.resolve("closed.v4"), "*filter\n-A FORWARD -p tcp -j DROP\nCOMMIT\n");
    Run run = Run.of("diff", scenario.toString(), "--against", against.toString());
    assertEquals(1, run.status(), run::err);
    assertTrue(run.out().contains("11 packets"), run::out);
    assertTrue(run.out().contains("9 change (1 flow"), run::out);
    assertTrue(run.out().contains("8       1 444 bytes   forwarded -> not sent\n"), run::out);
    Run json = Run.of("diff", scenario.toString(), "--against", against.toString(), "--json");
    assertEquals(List.of(), schema().validate(json.out(), InputFormat.JSON));
    // The other way round the new rules let it begin.
    Path open = Files.writeString(folder.resolve("open.v4"), "*filter\nCOMMIT\n");
    Run back =
        Run.of(
            "diff",
            scenario.toString(),
            "--rules",
            against.toString(),
            "--against",
            open.toString());
    assertTrue(back.out().contains("not sent -> forwarded\n"), back::out);
  }
}
