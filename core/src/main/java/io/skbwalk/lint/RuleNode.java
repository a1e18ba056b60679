// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.TableKind;
import java.util.List;
import java.util.Set;

/** One rule, what it asks for, and the packets that were seen at it. */
final class RuleNode {
  /** Targets behind which no later rule is asked. */
  private static final Set<String> ENDS =
      Set.of("REJECT", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "NFQUEUE");

  final TableKind table;
  final String chain;

  /** From 1. */
  final int number;

  final Rule rule;
  final List<Asked.Part> parts;

  /** Packets that it may match. */
  final int asked;

  /** It matches each of them, each time. */
  final boolean sure;

  /** When it was first reached among all rules of its table, from 1; 0 when it never was. */
  int order;

  /** Packets that come to it. */
  int reached;

  /** Those that it may match. */
  int matched;

  RuleNode(
      TableKind table,
      String chain,
      int number,
      Rule rule,
      List<Asked.Part> parts,
      PacketSets sets) {
    this.table = table;
    this.chain = chain;
    this.number = number;
    this.rule = rule;
    this.parts = parts;
    int all = PacketSets.ALL;
    boolean each = true;
    for (Asked.Part part : parts) {
      all = sets.and(all, part.set());
      each &= part.sure();
    }
    asked = all;
    sure = each;
  }

  /** Is what it matches decided by it: no later rule of the table is asked? */
  boolean decides() {
    Action action = rule.action();
    return action instanceof Action.Standard && action != Action.Standard.RETURN
        || action instanceof Action.Extension && ENDS.contains(action.label());
  }

  boolean returns() {
    return rule.action() == Action.Standard.RETURN;
  }

  /** The chain that it jumps or goes to, or null. */
  String callee() {
    return rule.action() instanceof Action.ToChain to ? to.chain() : null;
  }

  boolean goesTo() {
    return rule.action() instanceof Action.ToChain to && to.goTo();
  }

  /** Packets at which a match is asked that may answer otherwise each time, or remembers them. */
  int askedUnsure(PacketSets sets) {
    int set = PacketSets.ALL;
    for (Asked.Part part : parts) {
      if (part.noted()) {
        return set;
      }
      set = sets.and(set, part.set());
    }
    return PacketSets.NONE;
  }

  /** Does it match every packet? */
  boolean matchesAll() {
    return sure && asked == PacketSets.ALL;
  }

  /** Does it nothing but decide, with no memory and no note of it anywhere? */
  boolean onlyDecides() {
    return rule.action() instanceof Action.Standard
        && !returns()
        && parts.stream().noneMatch(Asked.Part::noted);
  }
}
