// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
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
    return findings(rules, null);
  }

  private static List<Finding> findings(String rules, HostDescription host) {
    RuleSet set = RulesFile.merge(List.of(RulesFile.parse("r", rules + "\nCOMMIT\n")));
    return Lint.of(set, host, host == null ? null : "router.yaml").findings();
  }

  private static HostDescription router() {
    try {
      return HostFile.parse("router", Files.readString(Path.of("../config/router.yaml")))
          .description();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Rules of filter in a line, with / between them; {@code NAME:} makes a chain, {@code :NAME
   * POLICY} sets a policy, {@code *TABLE} begins another table.
   */
  private static String rules(String text) {
    StringBuilder chains = new StringBuilder(CHAINS);
    StringBuilder rules = new StringBuilder();
    for (String part : text.split(" / ")) {
      if (part.endsWith(":")) {
        chains.append(':').append(part, 0, part.length() - 1).append(" -\n");
      } else if (part.startsWith("*")) {
        rules.append("COMMIT\n").append(part).append('\n');
      } else if (part.startsWith(":")) {
        chains.append(part).append('\n');
      } else {
        rules.append("-A ").append(part).append('\n');
      }
    }
    return chains.append(rules).toString();
  }

  private static String found(String text) {
    return found(text, null);
  }

  private static String found(String text, HostDescription host) {
    return findings(rules(text), host).stream()
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
        // Below what drops everything, or accepts it in a chain.
        "INPUT -p tcp --dport 22 -j ACCEPT / INPUT -j DROP / INPUT -m state --state ESTABLISHED -j ACCEPT | shadowed INPUT#3 INPUT#2",
        "web: / INPUT -j web / INPUT -m state --state INVALID -j DROP / web -p tcp -j ACCEPT / web ! -p tcp -j ACCEPT | shadowed INPUT#2 web#1 web#2",
        "INPUT -p tcp -j ACCEPT / INPUT -p udp -j ACCEPT / INPUT -p tcp -m conntrack --ctstate INVALID -j DROP | shadowed INPUT#3 INPUT#1",
        ":OUTPUT ACCEPT / INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT / INPUT -p tcp --sport 80 -m state --state ESTABLISHED -j ACCEPT | shadowed INPUT#2 INPUT#1",
        // Ports: ranges in ranges, lists over lists, in either module.
        "INPUT -p tcp --dport 1000:2000 -j ACCEPT / INPUT -p tcp --dport 1500:1600 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        "INPUT -p tcp -m multiport --dports 20:25,80 -j ACCEPT / INPUT -p tcp -m multiport --dports 22,80 -j DROP | shadowed INPUT#2 INPUT#1",
        "INPUT -p tcp -m multiport --ports 80 -j DROP / INPUT -p tcp -m multiport --sports 80 -j ACCEPT | shadowed INPUT#2 INPUT#1",
        "INPUT -p udp -m multiport --dports 1:9 -j DROP / INPUT -p udp -m multiport --dports 10:19 -j DROP / INPUT -p udp --dport 5:15 -j ACCEPT | shadowed INPUT#3 INPUT#1 INPUT#2",
        "INPUT -p icmp --icmp-type 3 -j ACCEPT / INPUT -p icmp --icmp-type 3/4 -j DROP | shadowed INPUT#2 INPUT#1",
        "INPUT -m mark --mark 0x10/0x10 -j DROP / INPUT -m mark --mark 0x11 -j ACCEPT / *mangle / PREROUTING -p udp -j MARK --set-mark 0x11 | shadowed INPUT#2 INPUT#1",
        // Flags, as lists of port scans have them.
        "INPUT -p tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT / INPUT -p tcp --syn -j DROP | shadowed INPUT#2 INPUT#1",
        "INPUT -p tcp --tcp-flags SYN,FIN SYN,FIN -j DROP / INPUT -p tcp --tcp-flags ALL SYN,FIN,PSH -j ACCEPT | shadowed INPUT#2 INPUT#1",
        // The same set twice; what it holds is not looked at.
        "INPUT -m set --match-set bad src -j DROP / INPUT -p tcp -m set --match-set bad src -j ACCEPT | shadowed INPUT#2 INPUT#1",
        // ! in the chain and in the way to it.
        "web: / INPUT ! -s 10.0.0.0/8 -j web / web -s 10.1.0.0/16 -j ACCEPT | shadowed web#1 INPUT#1",
        "web: / INPUT -p tcp -j web / web -p tcp --dport 22 -j RETURN / web -j DROP / web -s 10.0.0.1 -j ACCEPT / INPUT -p tcp --dport 80 -j ACCEPT | shadowed INPUT#2 web#2; shadowed web#3 web#2",
        // Accept-all above a drop.
        "INPUT -s 0.0.0.0/0 -j ACCEPT / INPUT -p tcp --dport 23 -j DROP | accept-all INPUT#2 INPUT#1",
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
        "INPUT ! -s 10.0.0.0/8 -m iprange --src-range 10.0.0.1-10.0.0.9 -j ACCEPT | contradiction INPUT#1",
        "INPUT -p tcp ! --dport 80 -m multiport --dports 80 -j ACCEPT | contradiction INPUT#1",
        // Chains that nothing reaches.
        "web: / web -p tcp -j ACCEPT | unreached-chain web",
        "web: / INPUT -p tcp --tcp-flags SYN ACK -j web / web -p tcp -j ACCEPT | contradiction INPUT#1; unreached-chain web INPUT#1",
        // Redundant.
        "INPUT -s 10.1.0.0/16 -j ACCEPT / INPUT -s 10.0.0.0/8 -j ACCEPT | redundant INPUT#1 INPUT#2",
        "INPUT -s 10.1.0.0/16 -j DROP | redundant INPUT#1",
        "web: / INPUT -j web / INPUT -s 10.0.0.0/8 -j ACCEPT / web -s 10.1.0.0/16 -j ACCEPT | redundant web#1 INPUT#2",
        // Each because of the other: only one is told, for both may not go.
        "INPUT -s 10.1.0.0/16 -j ACCEPT / INPUT -s 10.0.0.0/8 -j ACCEPT / INPUT -s 10.1.2.0/24 -j DROP / INPUT -s 10.0.0.0/7 -j ACCEPT | redundant INPUT#1 INPUT#2; shadowed INPUT#3 INPUT#1",
        "web: / INPUT -j web / INPUT -s 10.0.0.0/8 -j ACCEPT / INPUT -s 10.1.2.0/24 -j DROP / INPUT -s 10.0.0.0/7 -j ACCEPT / web -s 10.1.0.0/16 -j ACCEPT | redundant INPUT#2 INPUT#4; shadowed INPUT#3 INPUT#2",
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
    assertShown(text, null);
  }

  /** Findings of what no packet can be, or no chain leads to, have none. */
  private static void assertShown(String text, HostDescription host) {
    for (Finding finding : findings(rules(text), host)) {
      boolean none =
          switch (finding.kind()) {
            case CONTRADICTION, UNREACHED_CHAIN -> true;
            // An interface that is not there.
            case IRRELEVANT -> finding.sentence().contains("no interface");
            // Packets are longer, and the set is empty.
            default -> text.contains("--length") || text.contains("--match-set");
          };
      assertEquals(none, finding.example() == null, () -> text + "\n" + finding);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // What comes to INPUT is the machine's own.
        "INPUT -d 192.168.7.80 -p tcp --dport 80 -j ACCEPT | irrelevant INPUT#1",
        "INPUT -d 203.0.113.1 -p tcp --dport 22 -j ACCEPT / INPUT -d 203.0.113.255 -j ACCEPT | ''",
        // The wrong side, or none.
        "FORWARD -i eth0 -o eth0 -d 192.168.7.0/24 -j ACCEPT | irrelevant FORWARD#1",
        "FORWARD -o eth1 -d 198.51.100.0/24 -j ACCEPT | irrelevant FORWARD#1",
        "FORWARD -d 203.0.113.1 -j ACCEPT | irrelevant FORWARD#1",
        "FORWARD -i ppp0 -j ACCEPT / INPUT -i ppp0 -j ACCEPT / INPUT -i wg+ -j ACCEPT | irrelevant INPUT#1 FORWARD#1; irrelevant INPUT#2",
        "FORWARD -d 10.9.9.9 -j ACCEPT | irrelevant FORWARD#1",
        "FORWARD -i eth1 -o eth0 -j ACCEPT / FORWARD -i eth0 -o eth1 -d 192.168.7.0/24 -j ACCEPT | ''",
        // Translated to where nothing is let in.
        "FORWARD -p tcp --dport 8080 -j ACCEPT / *nat / PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 192.168.7.80:80 | dnat-dropped PREROUTING#1 FORWARD#1",
        "FORWARD -p tcp --dport 80 -j ACCEPT / *nat / PREROUTING -p tcp --dport 8080 -j DNAT --to-destination 192.168.7.80:80 | ''",
        "INPUT -p tcp --dport 80 -j ACCEPT / *nat / PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.7.80 | dnat-dropped PREROUTING#1",
        "INPUT -p tcp --dport 80 -j ACCEPT / *nat / PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3128 | dnat-dropped PREROUTING#1 INPUT#1",
        "INPUT -p tcp --dport 3128 -j ACCEPT / *nat / PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3128 | ''",
        "FORWARD -m conntrack --ctstate DNAT -j ACCEPT / *nat / PREROUTING -p tcp --dport 80 -j DNAT --to-destination 192.168.7.80 | ''",
        // In nat: translated already, or not at all.
        ":FORWARD ACCEPT / INPUT -j ACCEPT / *nat / POSTROUTING -o eth0 -s 192.168.0.0/16 -j ACCEPT / POSTROUTING -o eth0 -s 192.168.7.0/24 -j MASQUERADE | shadowed POSTROUTING#2 POSTROUTING#1",
        ":FORWARD ACCEPT / INPUT -j ACCEPT / *nat / POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.1 / POSTROUTING -o eth0 -s 192.168.7.0/24 -j MASQUERADE | shadowed POSTROUTING#2 POSTROUTING#1",
      })
  void whatTheMachineCannotUseIsFound(String text, String wanted) {
    assertEquals(wanted, found(text, router()));
    assertShown(text, router());
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

  private static String shown(String text) {
    return findings(rules(text)).stream()
        .map(Finding::example)
        .map(
            one ->
                one.machine()
                    + " : "
                    + one.before().stream()
                        .map(packet -> packet + ", ")
                        .collect(Collectors.joining())
                    + one.packet()
                    + " : "
                    + one.outcome())
        .collect(Collectors.joining("; "));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // Forwarded, by a router that has the interfaces.
        "FORWARD -i ppp0 -p tcp -j ACCEPT / FORWARD -i ppp+ -p tcp --dport 80 -j ACCEPT / FORWARD -i ppp0 -p tcp --dport 80 -j DROP"
            + " | --as ppp0=198.51.100.1 --as eth0=192.168.7.1 : ppp0 tcp 198.51.100.9:40000 > 192.168.7.2:80 S : ACCEPT by filter/FORWARD#1",
        // Its own, to others and to itself.
        "OUTPUT -o wlan+ -p udp -j ACCEPT / OUTPUT -o wlan0 -p udp --dport 53 -j DROP"
            + " | --as wlan0=203.0.113.1 : sent udp 203.0.113.1:40000 > 198.51.100.9:53 : ACCEPT by filter/OUTPUT#1",
        ":OUTPUT ACCEPT / INPUT -i lo -j ACCEPT / INPUT -i lo -p icmp -j DROP"
            + " | --as 203.0.113.1 : sent icmp 127.0.0.1 > 127.0.0.1 : ACCEPT by filter/INPUT#1",
        // What an earlier table marks.
        "INPUT -m mark --mark 1 -j ACCEPT / INPUT -p udp -m mark --mark 1 -j DROP / *mangle / PREROUTING -i eth1 -p udp --dport 500 -j MARK --set-mark 1"
            + " | --as eth1=203.0.113.1 : eth1 udp 198.51.100.9:40000 > 203.0.113.1:500 : ACCEPT by filter/INPUT#1",
        // Another protocol, later fragments, what belongs to no connection.
        "INPUT -p esp -j ACCEPT / INPUT -p esp -s 10.1.0.0/16 -j DROP"
            + " | --as 203.0.113.1 : eth0 ip 10.1.0.9 > 203.0.113.1 50 : ACCEPT by filter/INPUT#1",
        "FORWARD -f -j ACCEPT / FORWARD -p udp -f -j DROP"
            + " | --as eth0=198.51.100.1 --as eth1=192.168.7.1 : eth0 udp 198.51.100.9:40000 > 192.168.7.2:22 fragment-offset=64 : ACCEPT by filter/FORWARD#1",
        "INPUT -m state --state INVALID -j DROP / INPUT -p tcp -m state --state INVALID -j ACCEPT"
            + " | --as 203.0.113.1 : eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 F : DROP by filter/INPUT#1",
        // A connection, of either side.
        ":OUTPUT ACCEPT / INPUT -m state --state ESTABLISHED -j ACCEPT / INPUT -p tcp -m state --state ESTABLISHED -j DROP"
            + " | --as 203.0.113.1 --answers capture : sent tcp 203.0.113.1:40000 > 198.51.100.9:22 S, eth0 tcp 198.51.100.9:22 > 203.0.113.1:40000 SA ack=1 : ACCEPT by filter/INPUT#1",
        // Begun, but not gone on with.
        ":OUTPUT ACCEPT / INPUT -p tcp --dport 22 -m state --state NEW -j ACCEPT"
            + " | --as 203.0.113.1 --answers capture : eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 S, sent tcp 203.0.113.1:22 > 198.51.100.9:40000 SA ack=1, eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 A seq=1 ack=1"
            + " : ACCEPT by filter/INPUT#1, then DROP by filter/INPUT policy",
        "FORWARD -i eth1 -p tcp --dport 80 -m state --state NEW -j ACCEPT"
            + " | --as eth1=198.51.100.1 --as eth0=192.168.7.1 : eth1 tcp 198.51.100.9:40000 > 192.168.7.2:80 S, eth0 tcp 192.168.7.2:80 > 198.51.100.9:40000 SA ack=1"
            + " : ACCEPT by filter/FORWARD#1, then DROP by filter/FORWARD policy",
      })
  void packetsAreOfEveryKind(String text, String wanted) {
    assertEquals(wanted, shown(text));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // One that asks for states stays, so that the others still see whole packets.
        "INPUT -p tcp -m state --state NEW -j DROP / INPUT -p udp -m state --state NEW -j DROP | redundant INPUT#1",
        "INPUT -p tcp -m state --state NEW -j DROP | ''",
        "web: / INPUT -m state --state NEW -j web / INPUT -p tcp --dport 22 -j ACCEPT | ''",
        "web: / INPUT -m state --state NEW -j web / INPUT -m state --state ESTABLISHED -j ACCEPT | no-effect INPUT#1",
        // One that can never match is told.
        "INPUT -j DROP / INPUT -m state --state NEW -j ACCEPT | shadowed INPUT#2 INPUT#1",
      })
  void theLastRuleThatTracksIsNotNeedless(String text, String wanted) {
    assertEquals(wanted, found(text));
  }

  @Test
  void whatEndsTrackingIsSaid() {
    String text = "INPUT -j DROP / INPUT -m state --state NEW -j ACCEPT";
    assertEquals(
        "Rule 1 already drops every packet; nothing gets past it. It is the last rule that needs"
            + " connection tracking: without it nothing is tracked any more.",
        findings(rules(text)).get(0).sentence());
  }

  /** The stronger of two things: never beside needless. */
  @Test
  void aRuleIsToldOnce() {
    assertEquals(
        "irrelevant INPUT#1 INPUT#2",
        found("web: / INPUT -i ppp0 -p udp -j DROP / INPUT -i ppp0 -p tcp -j web", router()));
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
