// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules as they are printed in YAML, and that they read back as the same rules. */
class RulesYamlPrinterTest {
  private static final Path ROOT = Path.of("..");
  private static final Schema SCHEMA =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
          .getSchema(text(ROOT.resolve("rules/rules.schema.json")));

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What follows {@code -A INPUT}, and how it is written in YAML. */
  private static final String RULES =
      """
                                                            => {}
      -j ACCEPT                                             => {jump: ACCEPT}
      -g users                                              => {goto: users}
      -p tcp --dport 22 -j ACCEPT                           => {protocol: tcp, dport: 22, jump: ACCEPT}
      ! -s 10.0.0.0/8 -d 1.1.1.1 -i eth+ ! -p 6             => in-interface: eth+ / source: {not: 10.0.0.0/8} / destination: 1.1.1.1 / protocol: {not: tcp}
      -s 192.0.2.1/255.0.255.0 ! -f ! -i +                  => {in-interface: {not: +}, source: 192.0.2.0/255.0.255.0, fragment: {not: true}}
      ! -s 0/0 -p 250                                       => {source: {not: 0.0.0.0/0}, protocol: 250}
      -p tcp --syn                                          => {protocol: tcp, syn: true}
      -p tcp ! --syn                                        => {protocol: tcp, syn: {not: true}}
      -p tcp --tcp-flags ALL SYN,ACK                        => {protocol: tcp, tcp-flags: {mask: [FIN, SYN, RST, PSH, ACK, URG], set: [SYN, ACK]}}
      -p tcp -m tcp                                         => {protocol: tcp, match: tcp}
      -p tcp -m tcp -m tcp --dport 1                        => {protocol: tcp, match: [tcp, {tcp: {dport: 1}}]}
      -p tcp -m tcp --dport 1 -m tcp --dport 2              => {protocol: tcp, dport: 1, match: {tcp: {dport: 2}}}
      -p udp --dport 8000:8080                              => {protocol: udp, dport: "8000:8080"}
      -p tcp -m multiport ! --dports 80,443                 => {protocol: tcp, dports: {not: [80, 443]}}
      -p icmp --icmp-type 8                                 => {protocol: icmp, icmp-type: 8}
      -m conntrack --ctstate NEW -j users                   => {match: {conntrack: {ctstate: NEW}}, jump: users}
      -m state --state NEW,INVALID                          => {match: {state: {state: [INVALID, NEW]}}}
      -m mark --mark 1 -m mark --mark 2                     => {match: [{mark: {mark: 0x1}}, {mark: {mark: 0x2}}]}
      -m mark --mark 1 -m limit --limit 1/s                 => {match: {mark: {mark: 0x1}, limit: {limit: 1/sec}}}
      -p tcp -m mark --mark 1 --dport 1                     => {protocol: tcp, match: {mark: {mark: 0x1}}, dport: 1}
      -p tcp --dport 1 -m mark --mark 1                     => {protocol: tcp, dport: 1, match: {mark: {mark: 0x1}}}
      -p tcp -m mark --mark 1 --dport 1 -m limit            => {protocol: tcp, match: {mark: {mark: 0x1}, tcp: {dport: 1}, limit: {limit: 3/hour}}}
      -m policy --dir in --pol ipsec --strict --reqid 1 --next ! --reqid 2 => {match: {policy: {dir: in, pol: ipsec, strict: true, reqid: 1, next: {reqid: {not: 2}}}}}
      -m policy --dir in --pol ipsec --strict --reqid 1 --next --spi 2 --next --spi 3 => match: / policy: {dir: in, pol: ipsec, strict: true, reqid: 1, next: [{spi: 0x2}, {spi: 0x3}]}
      -m comment --comment web -j ACCEPT                    => {jump: ACCEPT, comment: web}
      -p tcp -m comment --comment "to web" --dport 1 -j DROP => {protocol: tcp, comment: to web, dport: 1, jump: DROP}
      -m comment --comment a -m comment --comment b         => {comment: a, match: {comment: {comment: b}}}
      -m comment --comment "80,443"                         => {comment: "80,443"}
      -m comment --comment "a: b # c"                       => {comment: "a: b # c"}
      -m comment --comment yes                              => {comment: "yes"}
      -m comment --comment ""                               => {comment: ""}
      -m comment --comment "say \\"it's\\" \\\\"            => {comment: 'say "it''s" \\'}
      -m comment --comment "für ☎"                          => {comment: "für ☎"}
      -m comment --comment "ä\u0007"                        => {comment: "ä\\u0007"}
      -m comment --comment " blank"                         => {comment: " blank"}
      -j REJECT --reject-with icmp-port-unreachable         => {jump: {REJECT: {reject-with: icmp-port-unreachable}}}
      -j LOG --log-prefix "in, " --log-ip-options           => {jump: {LOG: {log-prefix: "in, ", log-ip-options: true}}}
      -c 5 300 -j DROP                                      => {jump: DROP, counters: [5, 300]}
      """;

  static Stream<String> rules() {
    return RULES.lines();
  }

  @ParameterizedTest
  @MethodSource("rules")
  void isWrittenAsAPersonWould(String line) {
    String[] sides = line.split("=>", 2);
    RuleSet rules =
        RulesFile.parse(
            "f", "*filter\n:users - [0:0]\n-A INPUT " + sides[0].strip() + "\nCOMMIT\n");
    String yaml = RulesYamlPrinter.print(rules);
    assertEquals(sides[1].strip(), item(yaml));
    assertReadsBack(rules);
  }

  /** What stands behind the dash of the one rule. */
  private static String item(String yaml) {
    String dash = "        - ";
    int from = yaml.indexOf(dash) + dash.length();
    return yaml.substring(from, yaml.indexOf("\n    users:")).replaceAll("\n +", " / ");
  }

  @Test
  void printsTablesChainsPoliciesAndCounters() {
    String yaml =
        """
        tables:
          raw: {}

          filter:
            INPUT:
              policy: DROP
              counters: [3, 180]
              rules:
                - {protocol: tcp, dport: 80, jump: ACCEPT, counters: [18446744073709551615, 60]}
                - match:
                    conntrack: {ctstate: [INVALID, NEW, UNTRACKED], ctorigdst: 192.0.2.0/24}
                    limit: {limit: 10/sec, limit-burst: 20}
                  jump: {LOG: {log-prefix: "new and long enough: "}}
                - {jump: web}
            OUTPUT: {policy: ACCEPT}
            a-b: {}
            web:
              rules:
                - {jump: DROP}
        """;
    RuleSet rules = RulesFile.merge(List.of(RulesFile.parse("f", yaml)));
    assertEquals(yaml, RulesYamlPrinter.print(rules));
    assertReadsBack(rules);
    assertEquals("tables: {}\n", RulesYamlPrinter.print(RuleSet.EMPTY));
    assertReadsBack(RuleSet.EMPTY);
  }

  // ---- every rule that there is in the project

  static Stream<RuleLinesTest.Case> lines() throws IOException {
    return Stream.of(RuleLinesTest.cases(), typed(), ofOptionTables()).flatMap(one -> one);
  }

  private static Stream<RuleLinesTest.Case> typed() throws IOException {
    List<RuleLinesTest.Case> cases = new ArrayList<>();
    String table = "";
    for (String line : Files.readAllLines(ROOT.resolve("conformance/rules/typed-rules.txt"))) {
      if (line.startsWith("* ")) {
        table = line.substring(2);
      } else if (!line.isBlank() && !line.startsWith("#")) {
        cases.add(new RuleLinesTest.Case(table, line, List.of(), null));
      }
    }
    return cases.stream();
  }

  /** The rows of each table of options, and what should be printed. */
  private static Stream<RuleLinesTest.Case> ofOptionTables() throws IOException {
    List<RuleLinesTest.Case> cases = new ArrayList<>();
    try (Stream<Path> files = Files.list(ROOT.resolve("conformance/options"))) {
      for (Path file : files.sorted().toList()) {
        YamlValue root = YamlValue.parse(file.toString(), text(file));
        root.entries()
            .forEach(
                (key, value) -> {
                  if (value.isList() && key.text().matches("rows|printed")) {
                    value.list().forEach(row -> cases.add(row(row)));
                  }
                });
      }
    }
    return cases.stream();
  }

  private static RuleLinesTest.Case row(YamlValue row) {
    String rule = "";
    String table = "filter";
    String chain = "FORWARD";
    for (var entry : row.entries().entrySet()) {
      switch (entry.getKey().text()) {
        case "rule", "typed" -> rule = entry.getValue().text();
        case "table" -> table = entry.getValue().text();
        case "chain" -> chain = entry.getValue().text();
        default -> {}
      }
    }
    return new RuleLinesTest.Case(table, "-A " + chain + " " + rule, List.of(), null);
  }

  @Test
  void everyRuleOfTheProjectReadsBackTheSame() throws IOException {
    RuleSet.Builder all = new RuleSet.Builder();
    int read = 0;
    for (RuleLinesTest.Case line : lines().toList()) {
      RuleSet rules;
      try {
        rules = line.rules();
      } catch (SourceException e) {
        // Others ask whether it should be refused.
        continue;
      }
      if (isSaidOtherwise(rules)) {
        assertReadsBack(rules);
        all.add(rules);
        read++;
      }
    }
    String yaml = RulesYamlPrinter.print(all.build());
    assertEquals(List.of(), SCHEMA.validate(yaml, InputFormat.YAML));
    assertTrue(read > 1500, read + " rules");
  }

  /** Rules of which iptables-save prints others are refused, where they stand. */
  private static boolean isSaidOtherwise(RuleSet rules) {
    if (all(rules).stream().allMatch(IptablesSavePrinter::readsBack)) {
      return true;
    }
    try {
      RulesYamlPrinter.print(rules);
      return true;
    } catch (SourceException e) {
      assertEquals(3, e.position().line());
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-p tcp ! --dport 0:65535",
        "-m recent --set --name \"my list\"",
        "-m time ! --weekdays 1,2,3,4,5,6,7",
        "-m hashlimit --hashlimit-upto 10Kb/s --hashlimit-name a",
      })
  void refusesWhatIptablesSaveLoses(String rule) {
    RuleSet rules = RulesFile.parse("f", "*filter\n-A INPUT " + rule + "\nCOMMIT\n");
    SourceException refused =
        assertThrows(SourceException.class, () -> RulesYamlPrinter.print(rules));
    assertTrue(
        refused.getMessage().startsWith("f:2:1: this rule cannot be said otherwise"),
        refused.getMessage());
  }

  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(ROOT.resolve("rules"))) {
      return files
          .filter(file -> file.getFileName().toString().matches("[^.]*\\.(yaml|v4)"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void everyFileReadsBackTheSame(Path file) {
    RuleSet rules = RulesFile.merge(List.of(RulesFile.parse(file.toString(), text(file))));
    assertReadsBack(rules);
    assertEquals(List.of(), SCHEMA.validate(RulesYamlPrinter.print(rules), InputFormat.YAML));
  }

  /** To YAML and back: the same rules, the same text in both languages, and the schema agrees. */
  private static void assertReadsBack(RuleSet rules) {
    String yaml = RulesYamlPrinter.print(rules);
    RuleSet again = RulesFile.merge(List.of(RulesFile.parse("printed.yaml", yaml)));
    assertEquals(
        IptablesSavePrinter.print(rules, true), IptablesSavePrinter.print(again, true), yaml);
    assertEquals(yaml, RulesYamlPrinter.print(again));
    List<Rule> ours = all(rules);
    List<Rule> theirs = all(again);
    for (int i = 0; i < ours.size(); i++) {
      assertTrue(ours.get(i).isLike(theirs.get(i)), yaml);
    }
  }

  private static List<Rule> all(RuleSet rules) {
    return rules.tables().stream()
        .flatMap(table -> table.chains().stream())
        .flatMap(chain -> chain.rules().stream())
        .toList();
  }
}
