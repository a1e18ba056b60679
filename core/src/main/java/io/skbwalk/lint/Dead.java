// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * The rules that were told to go: those that can never match, and those that change nothing. While
 * a rule that needs connection tracking is left, tracking is on, and the others do what they did.
 */
final class Dead {
  private final Set<Rule> never = Collections.newSetFromMap(new IdentityHashMap<>());
  private final Set<Rule> told = Collections.newSetFromMap(new IdentityHashMap<>());

  /** Rules that need connection tracking; and those of them that were not told. */
  private int trackers;

  private int left;

  Dead(RuleSet rules) {
    for (RuleSet.Table table : rules.tables()) {
      for (RuleSet.Chain chain : table.chains()) {
        trackers += (int) chain.rules().stream().filter(Rule::needsConntrack).count();
      }
    }
    left = trackers;
  }

  /** They can never match, and were told to go. */
  void addNever(Collection<RuleNode> nodes) {
    nodes.forEach(
        node -> {
          never.add(node.rule);
          add(node);
        });
  }

  /** It was told to go. */
  void add(RuleNode node) {
    if (told.add(node.rule) && node.rule.needsConntrack()) {
      left--;
    }
  }

  /** Can it never match? */
  boolean never(RuleNode node) {
    return never.contains(node.rule);
  }

  /**
   * May it be told to go, since it changes nothing? Not the last rule because of which connections
   * are tracked: without it fragments would stay apart, and nothing would have a state.
   */
  boolean maySpare(RuleNode node) {
    return !never(node) && (left > 1 || !node.rule.needsConntrack());
  }

  /** Findings that tell all rules to go because of which connections are tracked say so. */
  List<Finding> warned(List<Finding> findings, RuleSet rules) {
    if (left > 0 || trackers == 0) {
      return findings;
    }
    String warning =
        trackers == 1
            ? " It is the last rule that needs connection tracking: without it nothing is tracked"
                + " any more."
            : " All "
                + trackers
                + " rules that need connection tracking are among those told here: without them"
                + " nothing is tracked any more.";
    return findings.stream()
        .map(one -> needsConntrack(one, rules) ? one.saying(one.sentence() + warning) : one)
        .toList();
  }

  private static boolean needsConntrack(Finding finding, RuleSet rules) {
    Finding.Place about = finding.about();
    return finding.kind().goes
        && about.number() > 0
        && rules
            .table(TableKind.of(about.table()))
            .chain(about.chain())
            .rules()
            .get(about.number() - 1)
            .needsConntrack();
  }
}
