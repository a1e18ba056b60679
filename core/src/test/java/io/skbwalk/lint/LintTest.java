// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.language.RulesFile;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Seeded defects, each found; and what looks like one and is none. */
class LintTest {
  private static final String CHAINS = "*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT DROP\n";

  private static List<Finding> findings(String rules) {
    RuleSet set = RulesFile.merge(List.of(RulesFile.parse("r", rules + "\nCOMMIT\n")));
    return Lint.of(set, null, null).findings();
  }

  /** Rules in a line, with / between them; {@code NAME:} makes a chain. */
  private static String rules(String text) {
    StringBuilder chains = new StringBuilder(CHAINS);
    StringBuilder rules = new StringBuilder();
    for (String part : text.split(" / ")) {
      if (part.endsWith(":")) {
        chains.append(':').append(part, 0, part.length() - 1).append(" -\n");
      } else if (part.startsWith(":")) {
        chains.append(part).append('\n');
      } else {
        rules.append("-A ").append(part).append('\n');
      }
    }
    return chains.append(rules).toString();
  }

  private static String found(String text) {
    return findings(rules(text)).stream()
        .map(
            one ->
                one.kind().label
                    + " "
                    + one.about().chain()
                    + (one.about().number() == 0 ? "" : "#" + one.about().number())
                    + one.causes().stream()
                        .map(cause -> " " + cause.chain() + "#" + cause.number())
                        .collect(Collectors.joining()))
        .sorted()
        .collect(Collectors.joining("; "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // Shadowed: by one rule, by several, through chains, through marks.
        "INPUT -p tcp -j ACCEPT / INPUT -p tcp --dport 22 -j DROP | shadowed INPUT#2 INPUT#1",
        "INPUT -p tcp --dport 22 -j DROP / INPUT -p tcp --dport 22 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        "INPUT -s 10.0.0.0/8 -j DROP / INPUT -s 10.1.0.0/16 -i eth0 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        "INPUT -i eth+ -j DROP / INPUT -i eth0 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        "INPUT -p udp --dport :999 -j DROP / INPUT -p udp --dport 1000: -j DROP / INPUT -p udp --sport 7 -j ACCEPT | shadowed INPUT#3 INPUT#1 INPUT#2",
        "INPUT -p tcp -m multiport --dports 22,80 -j DROP / INPUT -p tcp --dport 80 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        "INPUT -m iprange --src-range 10.0.0.0-10.0.0.255 -j DROP / INPUT -s 10.0.0.128/25 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        "INPUT -p icmp -j ACCEPT / INPUT -p icmp --icmp-type 8 -j DROP | shadowed INPUT#2 INPUT#1",
        "INPUT -m state --state NEW,ESTABLISHED -j ACCEPT / INPUT -p tcp -m conntrack --ctstate NEW -j DROP | shadowed INPUT#2 INPUT#1",
        "INPUT -m length --length 1:9 -j ACCEPT / INPUT -p udp -m length --length 1:9 -j DROP | shadowed INPUT#2 INPUT#1",
        "web: / INPUT -p udp -j web / web -p tcp -j ACCEPT / web -j ACCEPT | shadowed web#1 INPUT#1",
        "web: / INPUT -j web / web -p tcp -j ACCEPT / web -p udp -j ACCEPT / INPUT -p tcp --dport 22 -j DROP | shadowed INPUT#2 web#1",
        "web: / INPUT -p tcp -j web / web -p tcp -j RETURN / web -s 10.0.0.0/8 -j ACCEPT | shadowed web#2 web#1",
        "web: / INPUT -p tcp -g web / web -s 10.0.0.1 -j ACCEPT / INPUT -p tcp --dport 22 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        // Accept-all above a drop.
        "INPUT -j ACCEPT / INPUT -s 192.0.2.1 -j DROP | accept-all INPUT#2 INPUT#1",
        "INPUT -j ACCEPT / INPUT -s 192.0.2.1 -j REJECT | accept-all INPUT#2 INPUT#1",
        // Contradictory in itself.
        "INPUT -p tcp --tcp-flags SYN ACK -j ACCEPT | contradiction INPUT#1",
        "INPUT -p tcp --dport 22 -m multiport --dports 80,443 -j ACCEPT | contradiction INPUT#1",
        "INPUT -s 10.0.0.0/8 -m iprange --src-range 192.0.2.1-192.0.2.9 -j ACCEPT | contradiction INPUT#1",
        "INPUT -m mark --mark 5/2 -j ACCEPT | contradiction INPUT#1",
        "INPUT -m state --state NEW -m conntrack --ctstate ESTABLISHED -j ACCEPT | contradiction INPUT#1",
        "INPUT -f -p tcp --dport 22 -j ACCEPT | contradiction INPUT#1",
        "INPUT ! -s 0.0.0.0/0 -j ACCEPT | contradiction INPUT#1",
        // Chains that nothing reaches.
        "web: / web -p tcp -j ACCEPT | unreached-chain web",
        "web: / INPUT -p tcp --tcp-flags SYN ACK -j web / web -p tcp -j ACCEPT | contradiction INPUT#1; unreached-chain web INPUT#1",
        // Redundant.
        "INPUT -s 10.1.0.0/16 -j ACCEPT / INPUT -s 10.0.0.0/8 -j ACCEPT | redundant INPUT#1 INPUT#2",
        "INPUT -s 10.1.0.0/16 -j DROP | redundant INPUT#1",
        "web: / INPUT -j web / INPUT -s 10.0.0.0/8 -j ACCEPT / web -s 10.1.0.0/16 -j ACCEPT | redundant web#1 INPUT#2",
        // Jumps that do nothing.
        "web: / INPUT -p tcp -j web | no-effect INPUT#1",
        "web: / INPUT -p tcp -j web / web -s 10.0.0.0/8 -j RETURN | no-effect INPUT#1",
        "web: / INPUT -p tcp -j web / web -s 10.0.0.0/8 -j ACCEPT / web -j RETURN | no-effect web#2",
        // States.
        "INPUT -p tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT | new-only INPUT#1",
        "INPUT -p udp --sport 53 -j ACCEPT | reply-port INPUT#1",
        "INPUT -p tcp --sport 80 -j ACCEPT | reply-port INPUT#1",
      })
  void seededDefectsAreFound(String text, String wanted) {
    assertEquals(wanted, found(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // What may be otherwise the next time, or is not understood, hides nothing.
        "INPUT -p tcp -m limit --limit 1/s -j ACCEPT / INPUT -p tcp --dport 22 -j ACCEPT",
        "INPUT -m length --length 1:9 -j ACCEPT / INPUT -m length --length 2:9 -j ACCEPT",
        "INPUT -p tcp --dport 22 -m recent --set / INPUT -p tcp --dport 22 -j ACCEPT",
        "INPUT -p tcp ! -f -j ACCEPT / INPUT -p tcp -j ACCEPT -f",
        // Fragments have no ports: they come past both.
        "INPUT -p tcp --dport 0:65535 -j LOG / INPUT -p tcp --sport 1024: --dport 22 -j ACCEPT",
        // A target changed what the later rule asks for.
        "INPUT -m mark --mark 1 -j DROP / INPUT -p tcp -j MARK --set-mark 1 / INPUT -m mark --mark 1 -j ACCEPT",
        "INPUT -p tcp -m mark --mark 0/1 -j MARK --set-xmark 2/0 / INPUT -p tcp -m mark --mark 2/2 -j ACCEPT",
        "INPUT -m connmark --mark 1 -j ACCEPT / INPUT -j CONNMARK --set-mark 1 / INPUT -m connmark --mark 1 -j ACCEPT",
        // The policy in words, answers by state, a chain for two ways in.
        "INPUT -p tcp --dport 22 -j ACCEPT / INPUT -j DROP",
        "INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT / INPUT -p tcp -m conntrack --ctstate NEW -j ACCEPT",
        "INPUT -p udp --sport 67 --dport 68 -j ACCEPT",
        "INPUT -p tcp --sport 80 ! --syn -j ACCEPT",
        "web: / INPUT -p tcp -j web / INPUT -p udp -j web / web -p tcp -j ACCEPT / web -p udp -s 10.0.0.1 -j ACCEPT",
        // A log in between would hear less, or more.
        "INPUT -s 10.1.0.0/16 -j ACCEPT / INPUT -j LOG / INPUT -s 10.0.0.0/8 -j ACCEPT",
        // A set may count what it is asked, and be another one after SET.
        "INPUT -s 10.1.0.0/16 -m set --match-set good src -j ACCEPT / INPUT -s 10.0.0.0/8 -j ACCEPT",
        "INPUT -m set --match-set bad src -j DROP / INPUT -p tcp -j SET --add-set bad src / INPUT -p tcp -m set --match-set bad src -j ACCEPT",
        "INPUT -m set --match-set bad src --packets-gt 5 -j DROP / INPUT -m set --match-set bad src --packets-gt 9 -j ACCEPT",
      })
  void whatIsRightIsLeftAlone(String text) {
    assertEquals("", found(text));
  }

  @Test
  void examplesAreOfTheEngine() {
    Finding found =
        findings(
                rules("INPUT -s 10.0.0.0/8 -p tcp -j ACCEPT / INPUT -s 10.1.2.0/24 -p tcp -j DROP"))
            .get(0);
    assertNotNull(found.example());
    assertEquals(
        "eth0 tcp 10.1.2.9:40000 > 203.0.113.1:22 S by ACCEPT by filter/INPUT#1 --as 203.0.113.1",
        found.example().packet()
            + " by "
            + found.example().outcome()
            + " "
            + found.example().machine());
  }

  @Test
  void jsonHoldsItsSchema() throws IOException {
    Schema schema =
        SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
            .getSchema(Files.readString(Path.of("../docs/lint.schema.json")));
    StringWriter out = new StringWriter();
    LintLines lines = new LintLines(out);
    for (Finding finding :
        findings(
            rules(
                "web: / INPUT -p tcp -j ACCEPT / INPUT -p tcp --dport 22 -j DROP"
                    + " / web -j ACCEPT / INPUT -p udp --sport 53 -j ACCEPT"))) {
      lines.write(finding);
    }
    List<String> all = out.toString().lines().toList();
    assertEquals(3, all.size());
    for (String line : all) {
      assertEquals(List.of(), schema.validate(line, InputFormat.JSON), line);
    }
  }
}
