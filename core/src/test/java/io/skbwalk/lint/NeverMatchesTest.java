// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.replay.Replay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random rule sets over few addresses, ports and marks, so that rules hide each other often, and
 * random packets through a router: a rule of which lint says that it can never match never does.
 */
class NeverMatchesTest {
  private static final int RULE_SETS = 100;
  private static final int PACKETS = 1000;

  private static final String[] CHAINS = {"INPUT", "FORWARD", "OUTPUT", "one", "two", "three"};
  private static final String[] SOURCES = {"198.51.100.0/24", "198.51.100.8/29", "192.168.7.0/24"};
  private static final String[] PORTS = {"22", "0:100", "80:443", "443", "1024:", "53"};

  private final Random random = new Random(4);

  @Test
  void neverIsNever() throws IOException {
    HostDescription machine =
        HostFile.parse("router", Files.readString(Path.of("../config/router.yaml"))).description();
    List<ScenarioPacket> packets = new ArrayList<>();
    for (int i = 0; i < PACKETS; i++) {
      packets.add(TypedPacket.parse("packet", packet(), machine));
    }
    int claims = 0;
    long matches = 0;
    for (int i = 0; i < RULE_SETS; i++) {
      String text = rules();
      RuleSet rules = RulesFile.merge(List.of(RulesFile.parse("r", text)));
      List<Finding> findings = Lint.of(rules, null, null).findings();
      Host host = new Host(machine, rules, 0, 1);
      Replay replay = new Replay(host, false, Replay.Answers.STACK, null, null);
      replay.runTyped(packets);
      replay.finish();
      RuleSet counters = host.tables().counters();
      for (Finding finding : findings) {
        Finding.Place about = finding.about();
        if (!finding.kind().headline.contains("never")) {
          continue;
        }
        for (long hits : hits(counters, about)) {
          claims++;
          assertTrue(hits == 0, () -> text + "\n" + finding);
        }
      }
      matches +=
          counters.table(TableKind.FILTER).chains().stream()
              .flatMap(chain -> chain.rules().stream())
              .mapToLong(rule -> rule.packets())
              .sum();
    }
    // The test sees something: many claims, and packets that many rules match.
    assertFalse(claims < 200, "claims: " + claims);
    assertFalse(matches < 50_000, "matches: " + matches);
  }

  private static List<Long> hits(RuleSet counters, Finding.Place about) {
    List<Long> hits = new ArrayList<>();
    var rules = counters.table(TableKind.of(about.table())).chain(about.chain()).rules();
    for (int i = 0; i < rules.size(); i++) {
      if (about.number() == 0 || about.number() == i + 1) {
        hits.add(rules.get(i).packets());
      }
    }
    return hits;
  }

  private String one(String... of) {
    return of[random.nextInt(of.length)];
  }

  private boolean chance(int in) {
    return random.nextInt(in) == 0;
  }

  private String packet() {
    boolean inside = chance(3);
    String from =
        inside ? "192.168.7." + (2 + random.nextInt(4)) : "198.51.100." + (8 + random.nextInt(4));
    String to = inside ? one("198.51.100.9", "192.168.7.1") : one("203.0.113.1", "192.168.7.2");
    String device = inside ? "eth1" : "eth0";
    String ttl = chance(8) ? " ttl=3" : "";
    int source = chance(2) ? 40_000 + random.nextInt(2) : Integer.parseInt(one("53", "80", "22"));
    String ports = ":" + source + " > " + to + ":" + one("22", "80", "443", "53", "5000");
    return switch (random.nextInt(4)) {
      case 0 -> device + " udp " + from + ports + ttl;
      case 1 -> device + " icmp " + from + " > " + to + " " + one("8", "0", "3", "13") + ttl;
      default -> device + " tcp " + from + ports + " " + one("S", "A", "SA", "R", "FA", "PA") + ttl;
    };
  }

  private String rules() {
    StringBuilder text = new StringBuilder("*filter\n");
    for (String chain : CHAINS) {
      boolean user = Character.isLowerCase(chain.charAt(0));
      text.append(':').append(chain).append(user ? " -" : one(" ACCEPT", " DROP")).append('\n');
    }
    int count = 10 + random.nextInt(20);
    for (int i = 0; i < count; i++) {
      int chain = random.nextInt(CHAINS.length);
      text.append("-A ").append(CHAINS[chain]);
      asked(text, CHAINS[chain]);
      text.append(target(chain)).append('\n');
    }
    return text.append("COMMIT\n").toString();
  }

  private void asked(StringBuilder text, String chain) {
    if (chance(3)) {
      text.append(one(" -s ", " ! -s ", " -s ")).append(one(SOURCES));
    }
    if (chance(6)) {
      text.append(one(" -d ", " ! -d "))
          .append(one("192.168.7.0/24", "203.0.113.1", "192.168.7.2"));
    }
    if (chance(5) && !chain.equals("OUTPUT")) {
      text.append(one(" -i ", " ! -i ")).append(one("eth0", "eth+", "eth1", "lo", "+"));
    }
    if (chance(6) && !chain.equals("INPUT")) {
      text.append(one(" -o ", " ! -o ")).append(one("eth0", "eth+", "eth1", "+"));
    }
    switch (random.nextInt(6)) {
      case 0 -> text.append(" -p udp");
      case 1 ->
          text.append(" -p udp ")
              .append(one("--sport ", "--dport ", "! --dport "))
              .append(one(PORTS));
      case 2 -> {
        text.append(" -p tcp ")
            .append(one("--sport ", "--dport ", "! --sport "))
            .append(one(PORTS));
        text.append(one("", "", " --syn", " ! --syn", " --tcp-flags ACK,RST ACK"));
      }
      case 3 ->
          text.append(" -p tcp -m multiport ")
              .append(one("--dports ", "--ports ", "! --dports "))
              .append(one("22,80", "80,443", "1:1000"));
      case 4 ->
          text.append(" -p icmp ")
              .append(
                  one("--icmp-type 8", "! --icmp-type 8", "--icmp-type any", "--icmp-type 3/0:4"));
      default -> {}
    }
    if (chance(5)) {
      text.append(" -m conntrack ")
          .append(one("--ctstate ", "! --ctstate "))
          .append(one("NEW", "ESTABLISHED,RELATED", "INVALID", "NEW,INVALID", "DNAT"));
    }
    if (chance(5)) {
      text.append(" -m mark ")
          .append(one("--mark ", "! --mark "))
          .append(one("1", "0", "2/2", "0/1"));
    }
    if (chance(8)) {
      text.append(
          one(
              " -m limit --limit 3/s",
              " -m ttl --ttl-lt 5",
              " -m length --length 0:60",
              " -m statistic --mode nth --every 3 --packet 0"));
    }
  }

  private String target(int chain) {
    String deeper = CHAINS[Math.max(3, chain + 1 + random.nextInt(2)) % CHAINS.length];
    boolean jump =
        chance(3) && Character.isLowerCase(deeper.charAt(0)) && !deeper.equals(CHAINS[chain]);
    if (jump) {
      return one(" -j ", " -j ", " -g ") + deeper;
    }
    return one(
        " -j ACCEPT",
        " -j DROP",
        " -j RETURN",
        " -j REJECT",
        " -j LOG",
        " -j MARK --set-mark 1",
        " -j MARK --set-xmark 2/1",
        "",
        " -j ACCEPT",
        " -j DROP");
  }
}
