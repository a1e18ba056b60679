// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.InputFormat;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.host.Host;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.ScenarioFolder;
import io.skbwalk.replay.WalkText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ExperimentsTest {
  /** A router with a forwarded port, 14 lines; the experiments begin in line 15. */
  private static final String ROUTER =
      """
      host: ../config/router.yaml
      rules: |
        *mangle
        -A PREROUTING -p udp -j MARK --set-mark 7
        COMMIT
        *nat
        -A PREROUTING -i eth0 -p tcp --dport 8080 -j DNAT --to-destination 192.168.7.80:80
        COMMIT
        *filter
        :FORWARD DROP [0:0]
        -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
        -A FORWARD -p tcp --dport 80 -j ACCEPT
        -A INPUT -p tcp --dport 23 -j REJECT --reject-with tcp-reset
        COMMIT
      experiments:
      """;

  private static final String SYN =
      "{in: eth0, tcp: {from: \"198.51.100.9:4000\", to: \"203.0.113.1:8080\", flags: S}";
  private static final String TELNET =
      "{in: eth0, tcp: {from: \"198.51.100.9:4000\", to: \"203.0.113.1:23\", flags: S}";
  private static final String UDP =
      "{in: eth0, udp: {from: \"198.51.100.9:53\", to: \"192.168.7.2:53\", payload: hello}";

  private static List<Outcome> run(String experiments, RuleCoverage coverage) {
    return runFile(ROUTER + experiments, coverage);
  }

  private static List<Outcome> runFile(String text, RuleCoverage coverage) {
    ScenarioFile scenario =
        ScenarioFile.parse("t.yaml", text, null, new ScenarioFolder(Path.of("../rules/t.yaml")));
    RuleSet rules = RulesFile.merge(List.of(RulesFile.of(scenario)));
    return new Experiments(
            "t.yaml", scenario, rules, () -> new Host(scenario.host().description(), rules, 0, 1))
        .run(name -> true, coverage);
  }

  private static List<Outcome> run(String experiments) {
    return run(experiments, new RuleCoverage());
  }

  /** What does not hold, a line each. */
  private static String failures(List<Outcome> outcomes) {
    List<String> lines = new ArrayList<>();
    for (Outcome outcome : outcomes) {
      for (Failure failure : outcome.failures()) {
        failure
            .mismatches()
            .forEach(one -> lines.add(failure.subject() + ": " + one.inWords().strip()));
      }
    }
    return String.join("; ", lines);
  }

  /**
   * An expectation of a packet, and what is said when it does not hold ({@code ok} when it does).
   */
  static Stream<String> expectations() {
    return """
    S fate: forwarded                          => ok
    S fate: delivered                          => packet 1: fate: expected delivered, got forwarded
    S fate: [delivered, forwarded]             => ok
    S fate: {not: forwarded}                   => packet 1: fate: expected anything but forwarded, got forwarded
    S fate: {not: [dropped, delivered]}        => ok
    S ctstate: NEW, ctdir: ORIGINAL            => ok
    S ctstate: established                     => packet 1: ctstate: expected ESTABLISHED, got NEW
    S rule: filter/FORWARD#2, hook: FORWARD    => ok
    S rule: filter/FORWARD policy              => packet 1: rule: expected filter/FORWARD policy, got filter/FORWARD#2
    S rules: [nat/PREROUTING#1]                => ok
    S rules: [filter/FORWARD#2, nat/PREROUTING#1] => packet 1: rules: expected filter/FORWARD#2, nat/PREROUTING#1, got nat/PREROUTING#1, filter/FORWARD#2
    S table: filter, chain: FORWARD, target: ACCEPT => ok
    S target: DROP                             => packet 1: target: expected DROP, got ACCEPT
    S out-interface: eth1, to: "192.168.7.80:80", from: 198.51.100.9, ttl: 63 => ok
    S to: "203.0.113.1:8080"                   => packet 1: to: expected 203.0.113.1:8080, got 192.168.7.80:80
    S ttl: 0x40                                => packet 1: ttl: expected 64, got 63
    S flags: s, tos: 0, dscp: 0, df: false, protocol: 6, seq: 0, window: {not: 1} => ok
    S mss: 1460                                => packet 1: mss: expected 1460, got none
    S mss: none, answer: none                  => ok
    S out: [{interface: eth1, ttl: 63}]        => ok
    S out: []                                  => packet 1: out: expected no frames, got one frame
    S mark: 0, connmark: 0                     => ok
    S reason: none, at: none                   => ok
    S log: ssh                                 => packet 1: log: expected ssh, got none
    T answer: tcp-reset, fate: dropped, reason: NETFILTER_DROP => ok
    T answer: icmp-port-unreachable            => packet 1: answer: expected port-unreachable, got tcp-reset
    T answer: {flags: RA, to: "198.51.100.9:4000", interface: eth0} => ok
    T answer: {ttl: 1}                         => packet 1: answer ttl: expected 1, got 64
    T to: 203.0.113.1                          => packet 1: to: expected 203.0.113.1, got none
    U mark: 7, fate: dropped, rule: filter/FORWARD policy, target: DROP => ok
    U mark: 0x8                                => packet 1: mark: expected 0x8, got 0x7
    U fate: dropped, out-interface: eth1       => packet 1: out-interface: expected eth1, got none
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("expectations")
  void holdOrSayWhyNot(String line) {
    String[] parts = line.split("=>");
    String packet =
        switch (parts[0].charAt(0)) {
          case 'S' -> SYN;
          case 'T' -> TELNET;
          default -> UDP;
        };
    String yaml =
        parts[0].substring(2).replaceAll("((?:filter|nat)/[A-Z]+(?:#\\d| policy))", "\"$1\"");
    String failures = failures(run("  - {packets: [" + packet + ", expect: {" + yaml + "}}]}\n"));
    assertEquals(parts[1].strip(), failures.isEmpty() ? "ok" : failures);
  }

  /** What makes no sense, and what is said of it. */
  static Stream<String> mistakes() {
    return """
    fat: dropped          => unknown key "fat" in what is expected of a packet; did you mean fate?
    fate: droped          => there is no fate droped; did you mean dropped?
    reason: NETFILTER_DRP => there is no drop reason NETFILTER_DRP; did you mean NETFILTER_DROP?
    rule: filter/INPUT    => "filter/INPUT" is no rule; such as filter/INPUT#3, or filter/INPUT policy where none decides
    rule: "filter/INPUT#9" => chain INPUT of table filter has one rule
    rule: "filter/FOWARD#1" => table filter has no chain FOWARD; did you mean FORWARD?
    rule: "raw/OUTPUT#1"  => the rules have no table raw
    ctstate: [NEW, OLD]   => there is no state OLD; known: NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED
    ttl: many             => expected a number from 0 to 4294967295, found "many"
    to: 300.0.0.1         => not an IPv4 address: "300.0.0.1"
    flags: SX             => TCP flags are letters of FSRPAUEC
    answer: icmp-port-unreachble => no answer is called icmp-port-unreachble; did you mean port-unreachable?
    answer: {til: 1}      => unknown key "til" in the frame that is expected; did you mean ttl?
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void areErrorsAtTheirPlace(String line) {
    String[] parts = line.split("=>");
    String experiment =
        "  - packets:\n    - in: eth0\n      tcp: {from: \"1.2.3.4:5\", to: \"203.0.113.1:8080\"}\n"
            + "      expect: {"
            + parts[0].strip()
            + "}\n";
    SourceException wrong = assertThrows(SourceException.class, () -> run(experiment));
    assertEquals(19, wrong.position().line());
    assertTrue(wrong.problem().startsWith(parts[1].strip()), wrong.getMessage());
  }

  @Test
  void eachRunsOnAMachineOfItsOwnUnlessItContinues() {
    String syn = "    packets: [" + SYN + ", expect: {ctstate: NEW}}]\n";
    String reply =
        "    packets: [{in: eth1, tcp: {from: \"192.168.7.80:80\", to: \"198.51.100.9:4000\","
            + " flags: SA}, expect: {ctstate: ESTABLISHED, from: \"203.0.113.1:8080\"}}]\n";
    assertEquals(
        "", failures(run("  - name: a\n" + syn + "  - name: b\n    continues: true\n" + reply)));
    assertEquals(
        "packet 1: ctstate: expected ESTABLISHED, got INVALID;"
            + " packet 1: from: expected 203.0.113.1:8080, got none",
        failures(run("  - name: a\n" + syn + "  - name: b\n" + reply)));
  }

  @Test
  void countersAndConnectionsAreAskedAtTheEnd() {
    String packets = "  - packets: [" + SYN + "}]\n    expect:\n      ";
    assertEquals(
        "",
        failures(
            run(
                packets
                    + "counters: {\"filter/FORWARD#2\": 1, \"nat/PREROUTING#1\": {packets: 1,"
                    + " bytes: 40}}\n      connections: [tcp SYN_SENT src=198.51.100.9"
                    + " src=192.168.7.80]\n")));
    assertEquals(
        "the end: counter of filter/FORWARD#2: expected 2 packets, got 1 packet;"
            + " the end: connections: expected 0, got 1:\n"
            + "tcp 6 120 SYN_SENT src=198.51.100.9 dst=203.0.113.1 sport=4000 dport=8080"
            + " [UNREPLIED] src=192.168.7.80 dst=198.51.100.9 sport=80 dport=4000 mark=0 use=1",
        failures(run(packets + "counters: {\"filter/FORWARD#2\": 2}\n      connections: 0\n")));
    assertEquals("", failures(run(packets + "after: 3m\n      connections: 0\n")));
    String wrong =
        failures(run(packets + "connections: {has: [tcp ASSURED], lacks: [\"dport=8080\"]}\n"));
    assertTrue(wrong.startsWith("the end: connection: expected tcp ASSURED, got \ntcp"), wrong);
    assertTrue(wrong.contains("expected none with dport=8080, got tcp 6 120"), wrong);
  }

  @Test
  void casesFillInWhatDiffers() {
    String experiment =
        """
          - name: port ${port}
            cases:
              - {port: 8080, expected: {fate: forwarded, to: "192.168.7.80:80"}}
              - {port: 23, expected: {fate: dropped}}
            packets:
              - in: eth0
                tcp: {from: "198.51.100.9:4000", to: "203.0.113.1:${port}", flags: S}
                expect: ${expected}
        """;
    List<Outcome> outcomes = run(experiment);
    assertEquals("", failures(outcomes));
    assertEquals(List.of("port 8080", "port 23"), outcomes.stream().map(Outcome::name).toList());
    SourceException wrong =
        assertThrows(
            SourceException.class, () -> run(experiment.replace("${expected}", "${expectd}")));
    assertEquals(
        "t.yaml:23:17: the case has no value for expectd; did you mean expected?; it has port,"
            + " expected",
        wrong.getMessage());
  }

  @Test
  void aPacketInFragmentsIsJudgedAtItsLast() {
    String packet =
        "{in: eth0, fragments: 576, tcp: {from: \"198.51.100.9:4000\", to: \"203.0.113.1:8080\","
            + " flags: A, length: 1400}, expect: {fate: forwarded, to: \"192.168.7.80:80\"}}";
    List<Outcome> outcomes = run("  - packets: [" + packet + "]\n");
    assertEquals("", failures(outcomes));
    assertEquals(3, outcomes.get(0).packets());
  }

  @Test
  void theWalkEndsWhereItAndTheExpectationPart() {
    List<Outcome> outcomes =
        run("  - packets: [" + SYN + ", expect: {rule: \"filter/FORWARD#1\"}}]\n");
    String walk = outcomes.get(0).failures().get(0).walkText(new WalkText(100, false, null));
    List<String> lines = walk.lines().map(String::strip).toList();
    assertTrue(lines.contains("no: state is NEW"), walk);
    assertTrue(lines.get(lines.size() - 1).startsWith("rule 2"), walk);
  }

  @Test
  void rulesThatNothingReachedAreKnown() {
    RuleCoverage coverage = new RuleCoverage();
    run("  - packets: [" + SYN + "}]\n  - packets: [" + TELNET + "}]\n", coverage);
    assertEquals(5, coverage.size());
    assertEquals(
        List.of("mangle/PREROUTING#1 t.yaml:4", "filter/FORWARD#1 t.yaml:11"),
        coverage.missed().stream()
            .map(rule -> rule.label() + " " + rule.at().fileAndLine())
            .toList());
  }

  /** The guide's examples are in the folder of the rules. */
  @Test
  void theGuidesExamplesHold() throws IOException {
    Matcher example =
        Pattern.compile("```yaml\n(host:.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("../docs/experiments.md")));
    int found = 0;
    while (example.find()) {
      found++;
      ScenarioFile scenario =
          ScenarioFile.parse(
              "experiments.md",
              example.group(1),
              null,
              new ScenarioFolder(Path.of("../rules/experiments.md")));
      RuleSet rules = RulesFile.merge(List.of(RulesFile.of(scenario)));
      List<Outcome> outcomes =
          new Experiments(
                  "experiments.md",
                  scenario,
                  rules,
                  () -> new Host(scenario.host().description(), rules, 0, 1))
              .run(name -> true, new RuleCoverage());
      assertEquals("", failures(outcomes), example.group(1));
    }
    assertTrue(found >= 3);
  }

  @Test
  void jsonIsAsItsSchemaSays() throws IOException {
    RuleCoverage coverage = new RuleCoverage();
    List<Outcome> outcomes =
        run(
            "  - packets: ["
                + SYN
                + ", expect: {fate: dropped}}]\n    expect: {connections: 0}\n  - packets: []\n",
            coverage);
    assertEquals(2, outcomes.get(0).failures().size());
    String json = ExperimentsJson.of(outcomes, coverage);
    assertEquals(
        List.of(),
        SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(Files.readString(Path.of("../docs/test.schema.json")))
            .validate(json, InputFormat.JSON),
        json);
  }

  /** A conversation, its packets that were sent, and what is said of it. */
  static Stream<String> conversations() {
    return """
    in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:8080", send: hi, reply: ho} | to: "192.168.7.80:80", completes: true, replies: {out-interface: eth0, from: "203.0.113.1:8080"} => ok
    in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:8080"} | completes: false => packet 1: completes: expected false, got true
    in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:81"} | fate: dropped, completes: false => ok
    in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:81"} | completes: true => packet 1: completes: expected true, got false: the SYN does not arrive
    in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:22", send-length: 3000} | fate: delivered, completes: true, every: {fate: delivered}, replies: {fate: sent} => ok
    sent: true, tcp-session: {from: "203.0.113.1:4000", to: "198.51.100.9:80", reply: x} | fate: sent, completes: true, replies: {fate: delivered} => ok
    in: eth1, ping: {from: 192.168.7.2, to: 192.168.7.1, count: 2} | answer: echo-reply, completes: true => ok
    in: eth0, udp-exchange: {from: "198.51.100.9:53", to: "192.168.7.2:53"} | completes: true => packet 1: completes: expected true, got false: the request does not arrive
    """
        .lines();
  }

  /** The server answers SYNPROXY's SYN, and the client's numbers are those of the cookie. */
  @Test
  void aSessionGoesThroughSynproxy() {
    String text =
        """
        host:
          interfaces:
            eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
            eth1: {macaddress: "02:00:00:00:01:01", addresses: [192.168.7.1/24]}
          routes: [{to: default, via: 203.0.113.254}]
          assume-neighbours: true
          sysctls: {net.ipv4.ip_forward: 1, net.netfilter.nf_conntrack_tcp_loose: 0}
        rules: |
          *raw
          -A PREROUTING -i eth0 -p tcp --syn -j CT --notrack
          COMMIT
          *filter
          -A FORWARD -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --mss 1460
          -A FORWARD -m conntrack --ctstate INVALID -j DROP
          -A FORWARD -p tcp -d 192.168.7.3 -j DROP
          COMMIT
        experiments:
          - packets:
              - {in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "192.168.7.2:80", send: hello, reply: hi}, expect: {answer: {flags: SA}, completes: true}}
            expect: {counters: {"filter/FORWARD#1": 2}, connections: ["tcp TIME_WAIT src=198.51.100.9 dst=192.168.7.2 [ASSURED]"]}
        """;
    assertEquals("", failures(runFile(text, new RuleCoverage())));
  }

  /** Linux opens the second connection over lo, and its own socket answers (asked of 6.18). */
  @Test
  void aSessionGoesThroughSynproxyToThisMachine() {
    String text =
        """
        host:
          interfaces:
            eth0: {macaddress: "02:00:00:00:00:01", addresses: [203.0.113.1/24]}
          routes: [{to: default, via: 203.0.113.254}]
          assume-neighbours: true
          sysctls: {net.netfilter.nf_conntrack_tcp_loose: 0}
          sockets: [{protocol: tcp, port: 80}]
        rules: |
          *raw
          -A PREROUTING -i eth0 -p tcp --syn -j CT --notrack
          COMMIT
          *filter
          -A INPUT -i eth0 -p tcp -m conntrack --ctstate INVALID,UNTRACKED -j SYNPROXY --mss 1460
          -A INPUT -m conntrack --ctstate INVALID -j DROP
          -A INPUT -i lo -p tcp -s 198.51.100.8 -j DROP
          COMMIT
        experiments:
          - packets:
              - {in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:80", send: hello, reply: hi}, expect: {answer: {flags: SA}, completes: true}}
            expect: {counters: {"filter/INPUT#1": 2}, connections: ["tcp TIME_WAIT src=198.51.100.9 dst=203.0.113.1 [ASSURED]"]}
          - packets:
              - {in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:80", close: none}, expect: {completes: true}}
            expect: {connections: ["tcp ESTABLISHED src=198.51.100.9 dst=203.0.113.1 [ASSURED]"]}
          - packets:
              - {in: eth0, tcp-session: {from: "198.51.100.8:4000", to: "203.0.113.1:80", send: hello}, expect: {completes: false}}
              - {in: eth0, tcp-session: {from: "198.51.100.9:4000", to: "203.0.113.1:80", send: hello}, expect: {completes: true}}
        """;
    assertEquals("", failures(runFile(text, new RuleCoverage())));
  }

  @ParameterizedTest
  @MethodSource("conversations")
  void conversationsGoAsFarAsTheirPacketsArrive(String line) {
    String[] parts = line.split(" \\| | => ");
    String failures =
        failures(run("  - {packets: [{" + parts[0] + ", expect: {" + parts[1] + "}}]}\n"));
    assertEquals(parts[2].strip(), failures.isEmpty() ? "ok" : failures);
  }

  /** What is wrong about frames of a capture. */
  static Stream<String> captureMistakes() {
    return """
    in: eth0, capture: ../pcaps/none.pcap              => cannot read ../pcaps/none.pcap: ../pcaps/none.pcap: no such file
    in: eth0, capture: ../pcaps/http.pcap, frames: 0   => frames are numbers from 1, such as 7, 3-7 or [1, 3-7]
    in: eth0, capture: ../pcaps/http.pcap, frames: 999 => ../pcaps/http.pcap has no such frame
    in: eth9, capture: ../pcaps/http.pcap              => no interface is called eth9
    capture: ../pcaps/http.pcap, frames: 3             => frame 3 is neither to nor from an Ethernet address of the machine; say in: INTERFACE
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("captureMistakes")
  void mistakesAboutCapturesAreToldAtTheirPlace(String line) {
    String[] parts = line.split("=>");
    SourceException wrong =
        assertThrows(
            SourceException.class, () -> run("  - packets:\n    - {" + parts[0].strip() + "}\n"));
    assertEquals(17, wrong.position().line());
    assertEquals(parts[1].strip(), wrong.problem());
  }
}
