// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Scenarios: where their rules come from, what their packets look like, what is refused where. */
class ScenarioFileTest {
  private static final String HOST =
      """
      host:
        interfaces:
          eth0: {macaddress: "02:00:00:00:00:50", addresses: [203.0.113.80/24]}
        neighbours:
          - {address: 203.0.113.254, macaddress: "02:00:00:00:00:fe"}
      """;

  private static final Map<String, String> FILES =
      Map.of(
          "drop.yaml", "tables: {filter: {INPUT: {rules: [{jump: DROP}]}}}\n",
          "accept.v4", "*filter\n-A INPUT -j ACCEPT\nCOMMIT\n");

  private static ScenarioFile parse(String text) {
    return ScenarioFile.parse(
        "s",
        text,
        null,
        name -> {
          if (!FILES.containsKey(name)) {
            throw new IOException("no such file");
          }
          return FILES.get(name);
        });
  }

  private static List<String> places(String rules) {
    RuleSet set = RulesFile.of(parse(HOST + rules + "experiments: []\n"));
    return set.table(TableKind.FILTER).chain("INPUT").rules().stream()
        .map(ScenarioFileTest::place)
        .toList();
  }

  private static String place(Rule rule) {
    return rule.save() + " " + rule.at();
  }

  @Test
  void rulesStandInTheScenarioOrInFiles() {
    assertEquals(List.of("-j DROP drop.yaml:1:35"), places("rules: drop.yaml\n"));
    assertEquals(
        List.of("-j DROP drop.yaml:1:35", "-j ACCEPT accept.v4:2:1"),
        places("rules: [drop.yaml, accept.v4]\n"));
    assertEquals(
        List.of("-j DROP s:6:43"),
        places("rules: {tables: {filter: {INPUT: {rules: [{jump: DROP}]}}}}\n"));
    assertEquals(
        List.of("-j DROP s:9:3", "-j ACCEPT s:12:3"),
        places(
            "rules: |\n  # text\n  *filter\n  -A INPUT -j DROP\n\n  # more\n"
                + "  -A INPUT -j ACCEPT\n  COMMIT\n"));
    assertEquals(
        List.of("-j DROP s:11:13"),
        places(
            "rules:\n  - |\n    tables:\n      filter:\n        INPUT: {rules: [\n"
                + "            {jump: DROP}]}\n"));
    assertTrue(RulesFile.of(parse(HOST + "experiments: []\n")).tables().isEmpty());
  }

  /** What follows the host from line 6 on ({@code /} for a line's end), and what is said of it. */
  static Stream<String> mistakes() {
    return """
    rules: none.yaml                                     => s:6:8: cannot read none.yaml: no such file
    rules: | /   *filter /   -A INPUT -j X -p q /   COMMIT => s:8:20: -p takes the name of a protocol or a number from 0 to 255, not "q"
    rules: {tables: {fitler: }}                          => s:6:18: there is no table fitler; tables are raw, mangle, nat, filter, security
    experiment: []                                       => s:6:1: unknown key "experiment" in a scenario; did you mean experiments? known: host, rules, experiments
    experiments: {}                                      => s:6:14: expected a list (- item, or [item, item])
    experiments: [{packets: [{in: eth1, udp: {}}]}]      => s:6:31: no interface is called eth1
    experiments: [{packets: [{udp: {}}]}]                => s:6:26: a packet has either in: INTERFACE, or sent: true when the machine sends it
    experiments: [{packets: [{in: eth0}]}]               => s:6:26: a packet needs one of tcp, udp, icmp, arp, ip and frame
    experiments: [{packets: [{in: eth0, udp: {from: 192.0.2.1, to: "192.0.2.2:5"}}]}] => s:6:49: "192.0.2.1" needs a port, such as "192.0.2.1:80"
    experiments: [{packets: [{in: eth0, icmp: {from: 192.0.2.1, to: 192.0.2.2}}]}] => s:6:43: a packet's icmp needs the key "type"
    experiments: [{packets: [{in: eth0, icmp: {from: 192.0.2.1, to: 192.0.2.2, type: ping}}]}] => s:6:82: expected an ICMP type, a number or one of address-mask-reply, address-mask-request, destination-unreachable, echo-reply, echo-request, parameter-problem, redirect, router-advertisement, router-solicitation, source-quench, time-exceeded, timestamp-reply, timestamp-request, found "ping"
    experiments: [{packets: [{in: eth0, after: 5, frame: "00"}]}] => s:6:44: a duration is a number with ns, us, ms, s, m, h or d, such as 1.5s, not "5"
    experiments: [{packets: [{in: eth0, frame: "0"}]}]   => s:6:44: expected bytes in hexadecimal, two digits each
    experiments: [{packets: [{in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:99999"}}]}] => s:6:68: a port is a number from 0 to 65535, not 99999
    experiments: [{packets: [{in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:9", flags: X}}]}] => s:6:90: TCP flags are letters of FSRPAUEC, not "X"
    experiments: [{packets: [{in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:9", ack: last}}]}] => s:6:88: expected a number from 0 to 4294967295, found "last"
    experiments: [{packets: [{in: eth0, tcp: {from: "192.0.2.1:1", to: "192.0.2.2:9", ack: isn, data-offset: 32}}]}] => s:6:88: a segment that answers is whole
    """
        .lines();
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void isRefusedWhereItIsWrong(String line) {
    String[] sides = line.split(" => ", 2);
    String rest = sides[0].strip().replace(" / ", "\n") + "\n";
    String end = rest.startsWith("exp") ? "" : "experiments: []\n";
    SourceException refused =
        assertThrows(
            SourceException.class,
            () -> RulesFile.merge(List.of(RulesFile.of(parse(HOST + rest + end)))));
    assertEquals(sides[1].strip(), refused.getMessage());
  }

  @Test
  void packetsAreRightUnlessTheFileSaysOtherwise() {
    ScenarioFile file =
        parse(
            HOST
                + """
                experiments:
                  - name: one
                    packets:
                      - {in: eth0, udp: {from: "198.51.100.9:7", to: "203.0.113.80:53", payload: abc}}
                      - {after: 1.5s, in: eth0, repeat: 2, frame: "01 02:03"}
                      - {sent: true, icmp: {from: 203.0.113.80, to: 198.51.100.9, type: echo-request}}
                """);
    List<ScenarioPacket> packets = file.experiments().get(0).packets();
    assertEquals("one", file.experiments().get(0).name());
    assertEquals(
        List.of(
            "eth0 0 45 s:9", "eth0 1500000000 3 s:10", "eth0 1500000000 3 s:10", "null 0 28 s:11"),
        packets.stream()
            .map(
                packet ->
                    packet.device()
                        + " "
                        + packet.afterNanos()
                        + " "
                        + packet.bytes().length
                        + " "
                        + packet.position().fileAndLine())
            .toList());
    byte[] frame = packets.get(0).bytes();
    assertEquals("[2, 0, 0, 0, 0, 80]", Arrays.toString(Arrays.copyOf(frame, 6)));
    assertEquals("[97, 98, 99]", Arrays.toString(Arrays.copyOfRange(frame, 42, 45)));
  }
}
