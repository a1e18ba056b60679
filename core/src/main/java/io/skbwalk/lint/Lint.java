// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Reads a rule set as a colleague would before it goes to the machine. */
public final class Lint {
  private final List<Finding> findings = new ArrayList<>();
  private final List<TableKind> tooComplex = new ArrayList<>();

  private Lint() {}

  /**
   * Looks at rules that iptables would take.
   *
   * @param host the machine for examples, or null when one may be made up
   * @param hostFile what its user calls it; null without one
   */
  public static Lint of(RuleSet rules, HostDescription host, String hostFile) {
    Lint lint = new Lint();
    Examples examples = new Examples(rules, host, hostFile);
    for (RuleSet.Table table : rules.tables()) {
      List<Finding> found = new ArrayList<>();
      try {
        TableSets sets = new TableSets(table);
        new Unmatched(sets, examples, found).find();
        new Redundant(sets, found).find();
        new NoEffect(sets, found).find();
        new Stateless(sets, examples, found).find();
      } catch (PacketSets.TooComplex e) {
        lint.tooComplex.add(table.kind());
      }
      lint.findings.addAll(found);
    }
    lint.sort();
    return lint;
  }

  /**
   * Adds what a capture shows.
   *
   * @param before the rules as they were loaded
   * @param after the same with the counters after each capture
   */
  public void captures(RuleSet before, List<RuleSet> after) {
    for (RuleSet.Table table : before.tables()) {
      List<RuleSet.Table> counted = after.stream().map(one -> one.table(table.kind())).toList();
      new Counted(table, counted, findings).find();
    }
    sort();
  }

  /** What was found, by file and line. */
  public List<Finding> findings() {
    return List.copyOf(findings);
  }

  /** Tables of which too little could be understood in bounded memory: nothing is said of them. */
  public List<TableKind> tooComplex() {
    return List.copyOf(tooComplex);
  }

  private void sort() {
    findings.sort(
        Comparator.comparing((Finding one) -> one.about().at().file())
            .thenComparing(one -> one.about().at(), Comparator.comparingInt(SourcePosition::line))
            .thenComparing(one -> one.about().label()));
  }
}
