// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Jumps into chains that do nothing, and RETURN where the chain ends anyway. */
final class NoEffect {
  /** As many are told one by one; more are a generator's habit and told together. */
  private static final int FEW = 3;

  private final TableSets table;
  private final Examples examples;
  private final Dead dead;
  private final List<Finding> findings;

  NoEffect(TableSets table, Examples examples, Dead dead, List<Finding> findings) {
    this.table = table;
    this.examples = examples;
    this.dead = dead;
    this.findings = findings;
  }

  void find() {
    jumps();
    returns();
  }

  private void jumps() {
    List<Finding> found = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (String chain : table.chains.keySet()) {
      List<RuleNode> jumps = new ArrayList<>();
      for (RuleNode node : doesNothing(chain) ? table.callers(chain) : List.<RuleNode>of()) {
        if (node.sure && !node.goesTo() && node.matched != PacketSets.NONE && dead.maySpare(node)) {
          dead.add(node);
          jumps.add(node);
        }
      }
      if (!jumps.isEmpty()) {
        boolean empty = table.chains.get(chain).isEmpty();
        names.add(chain);
        found.add(
            new Finding(
                Finding.Kind.NO_EFFECT,
                Finding.Place.of(jumps.get(0)),
                Unmatched.places(jumps.subList(1, jumps.size())),
                "Chain "
                    + chain
                    + (empty ? " is empty, so " : " only returns, so ")
                    + (jumps.size() == 1
                        ? "jumping there does nothing."
                        : "jumping there, as " + jumps.size() + " rules do, does nothing."),
                examples.idle(table, jumps.get(0))));
      }
    }
    tell(
        found,
        found.size()
            + " chains do nothing, nor do the jumps to them: "
            + names.stream().collect(Collectors.joining(", "))
            + ".");
  }

  private boolean doesNothing(String chain) {
    return table.chains.get(chain).stream().allMatch(node -> node.sure && node.returns());
  }

  private void returns() {
    List<Finding> found = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (String chain : table.chains.keySet()) {
      List<RuleNode> rules = table.chains.get(chain);
      if (rules.isEmpty() || doesNothing(chain)) {
        continue;
      }
      RuleNode last = rules.get(rules.size() - 1);
      if (last.returns() && last.sure && last.matched != PacketSets.NONE && dead.maySpare(last)) {
        dead.add(last);
        names.add(chain);
        found.add(
            new Finding(
                Finding.Kind.NO_EFFECT,
                Finding.Place.of(last),
                List.of(),
                table.isBuiltIn(chain)
                    ? "It is the last rule: the policy decides with or without it."
                    : "It is the last rule of its chain: packets return with or without it.",
                examples.idle(table, last)));
      }
    }
    tell(
        found,
        found.size()
            + " chains end in a RETURN that they need not have: "
            + names.stream().collect(Collectors.joining(", "))
            + ".");
  }

  private void tell(List<Finding> found, String together) {
    if (found.size() <= FEW) {
      findings.addAll(found);
      return;
    }
    List<Finding.Place> places = new ArrayList<>();
    for (Finding one : found) {
      places.add(one.about());
      places.addAll(one.causes());
    }
    findings.add(
        new Finding(
            Finding.Kind.NO_EFFECT,
            places.get(0),
            places.subList(1, places.size()),
            together,
            null));
  }
}
