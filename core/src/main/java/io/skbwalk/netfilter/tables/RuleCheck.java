// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.Hook;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

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
      walk(table.chain(hook.chain), hook, new ArrayDeque<>());
    }
    for (RuleSet.Chain chain : table.chains()) {
      for (Rule rule : chain.rules()) {
        check(chain, rule);
      }
    }
  }

  /** Marks what is reached from {@code hook}; a chain that is its own caller is a loop. */
  private void walk(RuleSet.Chain chain, Hook hook, Deque<String> callers) {
    if ((hooks.getOrDefault(chain.name(), 0) & hook.bit) != 0) {
      return;
    }
    callers.push(chain.name());
    for (Rule rule : chain.rules()) {
      if (rule.action() instanceof Action.ToChain to) {
        if (callers.contains(to.chain())) {
          throw refuse(rule, "chain " + to.chain() + " would call itself");
        }
        walk(table.chain(to.chain()), hook, callers);
      }
    }
    callers.pop();
    hooks.merge(chain.name(), hook.bit, (a, b) -> a | b);
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
