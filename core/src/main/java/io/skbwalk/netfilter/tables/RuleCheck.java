// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.Hook;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Plays translate_table, mark_source_chains and check_entry: a rule set is accepted as a whole, or
 * refused at the first rule that iptables or the kernel would refuse.
 */
public final class RuleCheck {
  private final RuleSet.Table table;
  private final Map<String, Integer> hooks = new HashMap<>();

  private RuleCheck(RuleSet.Table table) {
    this.table = table;
  }

  /**
   * Checks everything that one rule alone does not show.
   *
   * @throws SourceException at the rule that is refused
   */
  public static void check(RuleSet set) {
    for (RuleSet.Table table : set.tables()) {
      new RuleCheck(table).run();
    }
  }

  private void run() {
    for (RuleSet.Chain chain : table.chains()) {
      for (Rule rule : chain.rules()) {
        if (rule.action() instanceof Action.ToChain to) {
          if (table.kind().hook(to.chain()) != null) {
            throw refuse(rule, "a rule may not jump to the built-in chain " + to.chain());
          }
          if (table.chain(to.chain()) == null) {
            throw refuse(
                rule,
                "there is neither a target nor, in table "
                    + table.kind()
                    + ", a chain "
                    + to.chain());
          }
        }
      }
    }
    for (Hook hook : table.kind().hooks) {
      walk(table.chain(hook.chain), hook);
    }
    for (RuleSet.Chain chain : table.chains()) {
      for (Rule rule : chain.rules()) {
        check(chain, rule);
      }
    }
  }

  /** A chain on the way from a hook, and the jump that is followed next. */
  private static final class Visit {
    private final RuleSet.Chain chain;
    private int next;

    private Visit(RuleSet.Chain chain) {
      this.chain = chain;
    }
  }

  /**
   * Marks what is reached from {@code hook}; a chain that is its own caller is a loop. As in the
   * kernel chains may be nested as deep as there are chains.
   */
  private void walk(RuleSet.Chain start, Hook hook) {
    Set<String> callers = new HashSet<>();
    Deque<Visit> way = new ArrayDeque<>();
    enter(start, hook, callers, way);
    while (!way.isEmpty()) {
      Visit visit = way.peek();
      if (visit.next == visit.chain.rules().size()) {
        callers.remove(visit.chain.name());
        way.pop();
        continue;
      }
      Rule rule = visit.chain.rules().get(visit.next++);
      if (rule.action() instanceof Action.ToChain to) {
        if (callers.contains(to.chain())) {
          throw refuse(rule, "chain " + to.chain() + " would call itself");
        }
        enter(table.chain(to.chain()), hook, callers, way);
      }
    }
  }

  private void enter(RuleSet.Chain chain, Hook hook, Set<String> callers, Deque<Visit> way) {
    int before = hooks.getOrDefault(chain.name(), 0);
    if ((before & hook.bit) == 0) {
      hooks.put(chain.name(), before | hook.bit);
      callers.add(chain.name());
      way.push(new Visit(chain));
    }
  }

  private void check(RuleSet.Chain chain, Rule rule) {
    String name = chain.name();
    if (!rule.basic().out().isEmpty() && (name.equals("PREROUTING") || name.equals("INPUT"))) {
      throw refuse(
          rule, "-o cannot match in " + name + ": no packet has an outgoing interface there");
    }
    if (!rule.basic().in().isEmpty() && (name.equals("POSTROUTING") || name.equals("OUTPUT"))) {
      throw refuse(
          rule, "-i cannot match in " + name + ": no packet has an incoming interface there");
    }
    RulePlace place = new RulePlace(table.kind(), name, hooks.getOrDefault(name, 0), rule);
    for (Match match : rule.matches()) {
      MatchType type = match.type();
      if (type.protocol != 0 && !place.isProtocol(type.protocol)) {
        throw refuse(rule, "-m " + type + " needs -p " + Names.protocol(type.protocol));
      }
      String refusal = match.refusal(place);
      if (refusal != null) {
        throw refuse(rule, type + ": " + refusal);
      }
    }
    if (rule.action() instanceof Action.Extension extension) {
      String refusal = extension.target().refusal(place);
      if (refusal != null) {
        throw refuse(rule, extension.target().type() + ": " + refusal);
      }
    }
    if (table.kind() == TableKind.NAT && rule.action() == Action.Standard.DROP) {
      throw refuse(rule, "the nat table is not for filtering, so DROP is not allowed in it");
    }
  }

  private static SourceException refuse(Rule rule, String what) {
    return new SourceException(rule.at(), what);
  }
}
