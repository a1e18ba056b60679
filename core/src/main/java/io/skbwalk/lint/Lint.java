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

/** Reads a rule set as a colleague would before it goes to the machine. */
public final class Lint {
  private List<Finding> findings = new ArrayList<>();
  private final List<TableKind> tooComplex = new ArrayList<>();

  private Lint() {}

  /**
   * Looks at rules that iptables would take.
   *
   * @param host the machine for examples, or null when one may be made up
   * @param hostFile what its user calls it; null without one
   */
  public static Lint of(RuleSet rules, HostDescription host, String hostFile) {
    Reach reach = host == null ? null : new Reach(host, rules);
    return of(rules, reach, new Examples(rules, host, hostFile, reach));
  }

  /** The same findings, none of them shown by a packet. */
  static Lint withoutExamples(RuleSet rules, HostDescription host) {
    return of(rules, new Reach(host, rules), Examples.none());
  }

  private static Lint of(RuleSet rules, Reach reach, Examples examples) {
    Lint lint = new Lint();
    Dead dead = new Dead(rules);
    Map<TableKind, TableSets> all = new EnumMap<>(TableKind.class);
    PacketFields fields = null;
    for (RuleSet.Table table : rules.tables()) {
      List<Finding> found = new ArrayList<>();
      try {
        fields = fields == null ? new PacketFields(rules) : fields;
        all.put(table.kind(), look(table, fields, reach, examples, dead, found));
      } catch (PacketSets.TooComplex e) {
        lint.tooComplex.add(table.kind());
        fields = null;
      }
      lint.findings.addAll(found);
    }
    TableSets nat = all.get(TableKind.NAT);
    TableSets filter = all.get(TableKind.FILTER);
    if (nat != null && filter != null) {
      lint.translated(nat, filter, examples);
    }
    lint.findings = new ArrayList<>(dead.warned(lint.findings, rules));
    lint.sort();
    return lint;
  }

  /** Looks at one table; what the machine can get, sent through it. */
  private static TableSets look(
      RuleSet.Table table,
      PacketFields fields,
      Reach reach,
      Examples examples,
      Dead dead,
      List<Finding> found) {
    TableSets sets = new TableSets(table, fields, null);
    new Unmatched(sets, examples, dead, found).find();
    TableSets here = sets;
    if (reach != null) {
      here = new TableSets(table, fields, reach);
      new Irrelevant(sets, here, reach, examples, dead, found).find();
    }
    new Redundant(sets, examples, dead, found).find();
    new NoEffect(sets, examples, dead, found).find();
    new Stateless(sets, examples, dead, found).find();
    return here;
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
