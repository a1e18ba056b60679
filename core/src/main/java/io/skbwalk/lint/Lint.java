// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.HostDescription;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

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
    TreeSet<String> interfaces = TableSets.interfaces(rules);
    Reach reach = host == null ? null : new Reach(host, rules);
    Examples examples = new Examples(rules, host, hostFile, reach);
    Map<TableKind, TableSets> all = new EnumMap<>(TableKind.class);
    for (RuleSet.Table table : rules.tables()) {
      List<Finding> found = new ArrayList<>();
      try {
        TableSets sets = new TableSets(table, interfaces, null);
        new Unmatched(sets, examples, found).find();
        new Redundant(sets, examples, found).find();
        new NoEffect(sets, examples, found).find();
        new Stateless(sets, examples, found).find();
        if (reach != null) {
          TableSets here = new TableSets(table, interfaces, reach);
          new Irrelevant(sets, here, reach, found).find();
          sets = here;
        }
        all.put(table.kind(), sets);
      } catch (PacketSets.TooComplex e) {
        lint.tooComplex.add(table.kind());
      }
      lint.findings.addAll(found);
    }
    if (all.containsKey(TableKind.NAT) && all.containsKey(TableKind.FILTER)) {
      lint.translated(all.get(TableKind.NAT), all.get(TableKind.FILTER), examples);
    }
    lint.sort();
    return lint;
  }

  private void translated(TableSets nat, TableSets filter, Examples examples) {
    try {
      new Translated(nat, filter, examples, findings).find();
    } catch (PacketSets.TooComplex e) {
      tooComplex.add(TableKind.FILTER);
    }
  }

  /**
   * Adds what captures show.
   *
   * @param rules the rules as they were loaded
   */
  public void captures(RuleSet rules, List<Captured> captures) throws IOException {
    new Counted(rules, captures, findings).find();
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
