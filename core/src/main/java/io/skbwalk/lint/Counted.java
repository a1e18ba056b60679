// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What the counters say after captures. */
final class Counted {
  /** A move that saves less than this part of a chain's rule tests is not worth the trouble. */
  private static final int WORTH = 5;

  private final RuleSet rules;
  private final List<Captured> captures;
  private final List<Finding> findings;

  Counted(RuleSet rules, List<Captured> captures, List<Finding> findings) {
    this.rules = rules;
    this.captures = captures;
    this.findings = findings;
  }

  void find() throws IOException {
    List<RuleSet> counters = new ArrayList<>();
    for (Captured capture : captures) {
      counters.add(capture.counters());
    }
    for (RuleSet.Table table : rules.tables()) {
      try {
        TableSets sets = new TableSets(table, new PacketFields(rules), null);
        look(sets, table, counters.stream().map(one -> one.table(table.kind())).toList());
      } catch (PacketSets.TooComplex e) {
        // What is said of a better order needs the sets; the table has been named already.
      }
    }
  }

  private void look(TableSets table, RuleSet.Table before, List<RuleSet.Table> after)
      throws IOException {
    for (RuleSet.Chain chain : before.chains()) {
      List<RuleNode> nodes = table.chains.get(chain.name());
      long[] hits = new long[nodes.size()];
      for (int i = 0; i < hits.length; i++) {
        for (RuleSet.Table one : after) {
          long now = one.chain(chain.name()).rules().get(i).packets();
          hits[i] += now - nodes.get(i).rule.packets();
        }
      }
      unused(chain.name(), nodes, hits);
      long atEnd = 0;
      for (RuleSet.Table one : after) {
        atEnd += one.chain(chain.name()).packets() - chain.packets();
      }
      order(table, nodes, hits, atEnd);
    }
  }

  private void unused(String chain, List<RuleNode> nodes, long[] hits) {
    List<RuleNode> never = new ArrayList<>();
    for (int i = 0; i < hits.length; i++) {
      // What can never match has been told already.
      if (hits[i] == 0 && nodes.get(i).matched != PacketSets.NONE) {
        never.add(nodes.get(i));
      }
    }
    if (!never.isEmpty()) {
      String sentence =
          nodes.size() == never.size() && nodes.size() > 1
              ? "None of the " + nodes.size() + " rules of " + chain
              : never.size() == 1
                  ? "Of the rules of " + chain + " only this one"
                  : never.size() + " of the " + nodes.size() + " rules of " + chain;
      String matched =
          nodes.size() == never.size() && nodes.size() > 1
              ? " matched a packet of the capture."
              : " matched no packet of the capture.";
      findings.add(
          new Finding(
              Finding.Kind.UNUSED,
              Finding.Place.of(never.get(0)),
              Unmatched.places(never.subList(1, never.size())),
              (nodes.size() == 1 ? "It is the only rule of " + chain + " and" : sentence) + matched,
              null));
    }
  }

  /** The one rule whose move to the front of others saves most. */
  private void order(TableSets table, List<RuleNode> nodes, long[] hits, long atEnd)
      throws IOException {
    long tests = tests(nodes, hits, atEnd);
    long most = 0;
    int best = -1;
    int to = -1;
    for (int i = 1; i < nodes.size(); i++) {
      RuleNode node = nodes.get(i);
      long saved = 0;
      for (int j = i - 1; j >= 0 && node.onlyDecides() && swaps(table, nodes.get(j), node); j--) {
        saved += hits[i] - (nodes.get(j).decides() ? hits[j] : 0);
        if (saved > most) {
          most = saved;
          best = i;
          to = j;
        }
      }
    }
    if (best < 0 || most * 100 < tests * WORTH) {
      return;
    }
    RuleNode node = nodes.get(best);
    Finding.Example example = BetterOrder.of(rules, node, to + 1, captures);
    if (example != null) {
      findings.add(
          new Finding(
              Finding.Kind.ORDER,
              Finding.Place.of(node),
              List.of(Finding.Place.of(nodes.get(to))),
              String.format(
                  Locale.ROOT,
                  "It matched %,d %s; before rule %d it would decide the same, and %,d of %,d rule"
                      + " tests in the chain would be saved.",
                  hits[best],
                  hits[best] == 1 ? "packet" : "packets",
                  nodes.get(to).number,
                  most,
                  tests),
              example));
    }
  }

  /** How often a rule of the chain was asked, as far as counters tell. */
  private static long tests(List<RuleNode> nodes, long[] hits, long atEnd) {
    long tests = atEnd * nodes.size();
    for (int i = 0; i < hits.length; i++) {
      boolean leaves = nodes.get(i).decides() || nodes.get(i).returns();
      tests += leaves ? hits[i] * (i + 1) : 0;
    }
    return Math.max(tests, 1);
  }

  /** May {@code later} stand before {@code earlier} with no packet noticing? */
  private static boolean swaps(TableSets table, RuleNode earlier, RuleNode later) {
    if (table.sets.and(earlier.askedUnsure(table.sets), later.asked) != PacketSets.NONE) {
      return false;
    }
    return table.sets.and(earlier.asked, later.asked) == PacketSets.NONE
        || earlier.onlyDecides()
            && earlier.rule.action() instanceof Action.Standard
            && earlier.rule.action() == later.rule.action();
  }
}
