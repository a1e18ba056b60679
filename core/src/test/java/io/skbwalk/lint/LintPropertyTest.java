// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Random rules of all tables on a router, and random packets near them, each another: a rule of
 * which lint says that it can never match never does, and without all the rules that change nothing
 * every packet fares the same.
 */
class LintPropertyTest {
  private static final int RULE_SETS = 100;
  private static final int PACKETS = 1000;

  private static final List<Finding.Kind> OFTEN =
      List.of(
          Finding.Kind.SHADOWED,
          Finding.Kind.IRRELEVANT,
          Finding.Kind.REDUNDANT,
          Finding.Kind.NO_EFFECT);

  private final Random random = new Random(4);
  private final Map<Finding.Kind, Integer> claims = new EnumMap<>(Finding.Kind.class);
  private final Map<TableKind, Integer> tables = new EnumMap<>(TableKind.class);
  private long matches;

  /** What became of packets under some rules. */
  private record Run(List<FrameRecord> records, RuleSet counters) {}

  @Test
  void neverIsNeverAndNothingIsNothing() throws IOException {
    String host = Files.readString(Path.of("../config/router.yaml"));
    HostDescription machine =
        HostFile.parse("router", host + "\nassume-neighbours: true\n").description();
    RandomPackets packets = new RandomPackets(random);
    for (int i = 0; i < RULE_SETS; i++) {
      boolean tracks = i % 4 != 0;
      String text = RandomFirewall.rules(random, tracks);
      RuleSet rules = RulesFile.merge(List.of(RulesFile.parse("r", text)));
      List<ScenarioPacket> some = packets.some(PACKETS, !tracks);
      List<Finding> findings = Lint.withoutExamples(rules, machine).findings();
      Run run = run(machine, rules, some);
      neverMatched(findings, run.counters, text);
      RuleSet fewer = without(rules, findings);
      sameFates(run, run(machine, fewer, some), some, text, findings);
    }
    assertEquals(RULE_SETS * PACKETS, packets.different());
    // The test sees something: many claims of each kind, in each table, and many matches.
    for (Finding.Kind kind : OFTEN) {
      assertFalse(claims.getOrDefault(kind, 0) < 90, claims::toString);
    }
    assertFalse(claims.getOrDefault(Finding.Kind.CONTRADICTION, 0) < 10, claims::toString);
    for (TableKind table : TableKind.values()) {
      assertFalse(tables.getOrDefault(table, 0) < 50, tables::toString);
    }
    assertFalse(matches < 100_000, () -> "matches: " + matches);
  }

  private static Run run(HostDescription machine, RuleSet rules, List<ScenarioPacket> packets) {
    Host host = new Host(machine, rules, 0, 1);
    Replay replay = new Replay(host, false, Replay.Answers.STACK, null, null);
    List<FrameRecord> records = new ArrayList<>();
    replay.keepEnds();
    replay.keepDepartures();
    replay.add(records::add);
    replay.run(packets, 0);
    replay.finish();
    return new Run(records, host.tables().counters());
  }

  private void neverMatched(List<Finding> findings, RuleSet counters, String text) {
    for (RuleSet.Table table : counters.tables()) {
      for (RuleSet.Chain chain : table.chains()) {
        matches += chain.rules().stream().mapToLong(rule -> rule.packets()).sum();
      }
    }
    for (Finding finding : findings) {
      Finding.Place about = finding.about();
      claims.merge(finding.kind(), 1, Integer::sum);
      tables.merge(TableKind.of(about.table()), 1, Integer::sum);
      if (!finding.kind().headline.contains("never")) {
        continue;
      }
      var rules = counters.table(TableKind.of(about.table())).chain(about.chain()).rules();
      for (int i = 0; i < rules.size(); i++) {
        if (about.number() == 0 || about.number() == i + 1) {
          assertEquals(0, rules.get(i).packets(), () -> text + "\n" + finding);
        }
      }
    }
  }

  /** The rules without all that can never match or change nothing. */
  private static RuleSet without(RuleSet rules, List<Finding> findings) {
    List<Finding.Place> places = new ArrayList<>();
    for (Finding finding : findings) {
      switch (finding.kind()) {
        case SHADOWED, ACCEPT_ALL, CONTRADICTION, REDUNDANT -> places.add(finding.about());
        case IRRELEVANT, NO_EFFECT -> {
          places.add(finding.about());
          places.addAll(finding.causes());
        }
        default -> {}
      }
    }
    places.sort(Comparator.comparingInt((Finding.Place place) -> -place.number()));
    RuleSet fewer = rules;
    for (Finding.Place place : places.stream().distinct().toList()) {
      fewer = fewer.without(TableKind.of(place.table()), place.chain(), place.number());
    }
    return fewer;
  }

  private static void sameFates(
      Run run, Run other, List<ScenarioPacket> packets, String text, List<Finding> findings) {
    assertEquals(run.records.size(), other.records.size());
    for (int i = 0; i < run.records.size(); i++) {
      FrameRecord a = run.records.get(i);
      FrameRecord b = other.records.get(i);
      assertTrue(
          Alike.are(a, b),
          () ->
              "frame "
                  + a.number
                  + ": "
                  + a.fate
                  + " "
                  + a.verdict
                  + " "
                  + a.rules
                  + ", without "
                  + b.fate
                  + " "
                  + b.verdict
                  + " "
                  + b.rules
                  + "\n"
                  + text
                  + "\n"
                  + findings);
    }
  }
}
