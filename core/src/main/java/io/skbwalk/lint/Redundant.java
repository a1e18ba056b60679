// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.Action;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rules without which every packet would have the same verdict, and nothing else would change. */
final class Redundant {
  /** Something else would happen to some packet. */
  private static final int OTHERWISE = -1;

  private static final int MOST_STEPS = 50_000;

  private final TableSets table;
  private final PacketSets sets;
  private final Examples examples;
  private final Dead dead;
  private final List<Finding> findings;

  /** Rules that were told: they may all go at once. */
  private final Set<RuleNode> gone = new HashSet<>();

  /** What comes to a rule when those are gone, besides what comes to it now. */
  private final Map<RuleNode, Integer> more = new HashMap<>();

  private final Map<RuleNode, Integer> passed = new HashMap<>();
  private RuleNode without;
  private Action.Standard verdict;
  private Set<RuleNode> causes;
  private Set<String> policies;
  private int steps;

  Redundant(TableSets table, Examples examples, Dead dead, List<Finding> findings) {
    this.table = table;
    this.sets = table.sets;
    this.examples = examples;
    this.dead = dead;
    this.findings = findings;
  }

  void find() {
    for (List<RuleNode> rules : table.chains.values()) {
      for (RuleNode node : rules) {
        if (node.matched != PacketSets.NONE && node.onlyDecides() && dead.maySpare(node)) {
          look(node);
        }
      }
    }
  }

  private void look(RuleNode node) {
    without = node;
    verdict = (Action.Standard) node.rule.action();
    causes = new LinkedHashSet<>();
    policies = new LinkedHashSet<>();
    steps = 0;
    passed.clear();
    int took = sets.or(node.matched, more.getOrDefault(node, PacketSets.NONE));
    int left = follow(node.chain, node.number, took);
    if (left == OTHERWISE || !ends(node.chain, left)) {
      return;
    }
    boolean last = node.number == table.chains.get(node.chain).size();
    if (causes.isEmpty() && node.matchesAll() && last) {
      // The policy in the form of a rule: people write it down so that it is seen.
      return;
    }
    gone.add(node);
    dead.add(node);
    passed.forEach((later, set) -> more.merge(later, set, sets::or));
    List<RuleNode> rules = new ArrayList<>(causes);
    findings.add(
        new Finding(
            Finding.Kind.REDUNDANT,
            Finding.Place.of(node),
            Unmatched.places(rules),
            sentence(node, rules),
            examples.redundant(table, node)));
  }

  private String sentence(RuleNode node, List<RuleNode> rules) {
    String does = verdict == Action.Standard.ACCEPT ? "accept" : "drop";
    String policy = policies.isEmpty() ? "" : "the policy of " + String.join(" and ", policies);
    if (rules.isEmpty()) {
      return "Without it, " + policy + " would " + does + " the same packets.";
    }
    String others =
        rules.size() == 1
            ? low(Unmatched.named(rules.get(0), node))
            : rules.size() + " later rules";
    return "Without it, "
        + others
        + (policy.isEmpty() ? "" : " and " + policy)
        + " would "
        + does
        + " the same packets.";
  }

  private static String low(String text) {
    return Character.toLowerCase(text.charAt(0)) + text.substring(1);
  }

  /** Sends a set through a chain from a rule on; what leaves it, or {@link #OTHERWISE}. */
  private int follow(String chain, int from, int set) {
    List<RuleNode> rules = table.chains.get(chain);
    int here = set;
    int back = PacketSets.NONE;
    for (int i = from; i < rules.size() && here != PacketSets.NONE; i++) {
      RuleNode node = rules.get(i);
      if (++steps > MOST_STEPS || sets.and(here, node.askedUnsure(sets)) != PacketSets.NONE) {
        return OTHERWISE;
      }
      int hit = sets.and(here, node.asked);
      if (hit == PacketSets.NONE || node == without || gone.contains(node)) {
        continue;
      }
      here = sets.minus(here, hit);
      if (node.returns()) {
        back = sets.or(back, hit);
      } else if (node.callee() != null) {
        int end = follow(node.callee(), 0, hit);
        if (end == OTHERWISE) {
          return OTHERWISE;
        }
        back = node.goesTo() ? sets.or(back, end) : back;
        here = node.goesTo() ? here : sets.or(here, end);
      } else if (node.rule.action() == verdict) {
        causes.add(node);
        passed.merge(node, hit, sets::or);
      } else {
        return OTHERWISE;
      }
    }
    return sets.or(back, here);
  }

  /** Has what leaves a chain the verdict, too, whoever called it? */
  private boolean ends(String chain, int left) {
    if (left == PacketSets.NONE) {
      return true;
    }
    if (++steps > MOST_STEPS) {
      return false;
    }
    if (table.isBuiltIn(chain)) {
      policies.add(chain);
      return table.policy(chain) == verdict;
    }
    for (RuleNode caller : table.callers(chain)) {
      if (table.entered.containsKey(caller.chain)) {
        int on = caller.goesTo() ? left : follow(caller.chain, caller.number, left);
        if (on == OTHERWISE || !ends(caller.chain, on)) {
          return false;
        }
      }
    }
    return true;
  }
}
