// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.Action;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;

/** Rules that no packet can match, and why not. */
final class Unmatched {
  private static final int FEW = 3;

  private final TableSets table;
  private final PacketSets sets;
  private final Examples examples;
  private final Dead dead;
  private final List<Finding> findings;
  private final List<Finding> unreached = new ArrayList<>();

  Unmatched(TableSets table, Examples examples, Dead dead, List<Finding> findings) {
    this.table = table;
    this.sets = table.sets;
    this.examples = examples;
    this.dead = dead;
    this.findings = findings;
  }

  void find() {
    for (String chain : table.chains.keySet()) {
      if (table.entered.containsKey(chain)) {
        for (RuleNode node : table.chains.get(chain)) {
          if (node.matched == PacketSets.NONE) {
            findings.add(because(node));
            dead.addNever(List.of(node));
          }
        }
      } else if (!table.isBuiltIn(chain)) {
        unreached(chain);
      }
    }
    tellUnreached();
  }

  // ---- chains -----------------------------------------------------------------------------------

  private void unreached(String chain) {
    List<RuleNode> jumps = table.callers(chain);
    int rules = table.chains.get(chain).size();
    boolean dead = jumps.stream().allMatch(jump -> !table.entered.containsKey(jump.chain));
    // A name that nobody uses loses nothing; and what dead chains lead to is their fault.
    if (rules == 0 || !jumps.isEmpty() && dead) {
      return;
    }
    String never =
        rules == 1 ? "its rule is never asked." : "its " + rules + " rules are never asked.";
    String why =
        jumps.isEmpty()
            ? "No rule jumps to it, so "
            : jumps.size() == 1
                ? "The rule that leads here can never match, so "
                : "The rules that lead here can never match, so ";
    unreached.add(
        new Finding(
            Finding.Kind.UNREACHED_CHAIN,
            Finding.Place.ofChain(table, chain),
            places(jumps),
            why + never,
            null));
  }

  /** A few are told one by one; many are what a generator leaves, and told together. */
  private void tellUnreached() {
    List<Finding> unused = unreached.stream().filter(one -> one.causes().isEmpty()).toList();
    if (unused.size() <= FEW) {
      findings.addAll(unreached);
      return;
    }
    unreached.stream().filter(one -> !one.causes().isEmpty()).forEach(findings::add);
    List<Finding.Place> places = unused.stream().map(Finding::about).toList();
    findings.add(
        new Finding(
            Finding.Kind.UNREACHED_CHAIN,
            places.get(0),
            places.subList(1, places.size()),
            "No rule jumps to it, nor to " + (places.size() - 1) + " other chains that have rules.",
            null));
  }

  static List<Finding.Place> places(List<RuleNode> nodes) {
    return nodes.stream().map(Finding.Place::of).toList();
  }

  // ---- rules ------------------------------------------------------------------------------------

  private Finding because(RuleNode node) {
    int possible = sets.and(node.asked, table.fields.possible());
    if (possible == PacketSets.NONE) {
      return finding(Finding.Kind.CONTRADICTION, node, List.of(), contradiction(node));
    }
    if (!table.isBuiltIn(node.chain)) {
      int jumped = PacketSets.NONE;
      List<RuleNode> jumps = table.callers(node.chain);
      for (RuleNode jump : jumps) {
        jumped = sets.or(jumped, jump.asked);
      }
      boolean marks = table.changesPackets();
      if (!marks && sets.and(jumped, node.asked) == PacketSets.NONE) {
        Finding found =
            finding(
                Finding.Kind.SHADOWED,
                node,
                jumps,
                "Nothing of the kind comes into chain "
                    + node.chain
                    + ": "
                    + (jumps.size() == 1
                        ? "the only way in asks for something else."
                        : "all " + jumps.size() + " ways in ask for something else."));
        return found.shownBy(examples.astray(table, node));
      }
    }
    int came = sets.and(possible, table.entered.get(node.chain));
    possible = came == PacketSets.NONE ? possible : came;
    List<RuleNode> causes = new ArrayList<>();
    int left = possible;
    for (RuleNode earlier : takers(node)) {
      int taken = sets.and(left, takes(earlier, node));
      if (taken != PacketSets.NONE) {
        causes.add(earlier);
        left = sets.minus(left, taken);
      }
    }
    // The last ones first: what is wide stands behind what is narrow.
    for (int i = causes.size() - 1; i >= 0 && causes.size() > 1; i--) {
      List<RuleNode> fewer = new ArrayList<>(causes);
      RuleNode spared = fewer.remove(i);
      if (sets.within(
          sets.and(sets.minus(possible, left), takes(spared, node)), all(fewer, node))) {
        causes = fewer;
      }
    }
    for (RuleNode earlier : takers(node)) {
      if (sets.within(possible, takes(earlier, node))) {
        causes = List.of(earlier);
        break;
      }
    }
    return shadowed(node, causes, possible);
  }

  /** What an earlier rule keeps from a later one; what came to it at all, in other chains. */
  private int takes(RuleNode earlier, RuleNode node) {
    return earlier.chain.equals(node.chain)
        ? earlier.asked
        : sets.and(earlier.matched, earlier.asked);
  }

  private int all(List<RuleNode> rules, RuleNode node) {
    int set = PacketSets.NONE;
    for (RuleNode rule : rules) {
      set = sets.or(set, takes(rule, node));
    }
    return set;
  }

  private Finding finding(
      Finding.Kind kind, RuleNode node, List<RuleNode> causes, String sentence) {
    return new Finding(kind, Finding.Place.of(node), places(causes), sentence, null);
  }

  /** Rules that may have taken what {@code node} asks for, those of its own chain first. */
  private List<RuleNode> takers(RuleNode node) {
    List<RuleNode> takers = new ArrayList<>();
    for (RuleNode earlier : table.chains.get(node.chain)) {
      if (earlier == node) {
        break;
      }
      if (earlier.sure && (earlier.decides() || earlier.returns() || earlier.goesTo())) {
        takers.add(earlier);
      }
    }
    for (List<RuleNode> others : table.chains.values()) {
      for (RuleNode other : others) {
        if (!other.chain.equals(node.chain)
            && other.sure
            && other.decides()
            && other.order > 0
            && other.order < node.order
            && !Collections.disjoint(table.roots.get(other.chain), table.roots.get(node.chain))) {
          takers.add(other);
        }
      }
    }
    return takers;
  }

  private Finding shadowed(RuleNode node, List<RuleNode> causes, int possible) {
    if (causes.isEmpty()) {
      return finding(
          Finding.Kind.SHADOWED, node, causes, "Nothing that it asks for ever comes this far.");
    }
    RuleNode first = causes.get(0);
    boolean one = causes.size() == 1;
    boolean blocks = node.rule.action() == Action.Standard.DROP || isReject(node);
    boolean acceptAll = one && first.matchesAll() && first.rule.action() == Action.Standard.ACCEPT;
    String sentence;
    Finding.Kind kind = Finding.Kind.SHADOWED;
    if (acceptAll && blocks) {
      kind = Finding.Kind.ACCEPT_ALL;
      sentence =
          named(first, node)
              + " accepts every packet before this one could "
              + (isReject(node) ? "reject" : "drop")
              + " any.";
    } else if (one && first.matchesAll()) {
      sentence = named(first, node) + " " + does(first) + " every packet; nothing gets past it.";
    } else if (one && node.rule.isLike(first.rule)) {
      sentence = named(first, node) + " is the same rule; only the first is ever asked to act.";
    } else if (one) {
      boolean asksForMore =
          !sets.within(sets.and(node.asked, table.fields.possible()), first.asked);
      sentence =
          named(first, node)
              + " "
              + does(first)
              + (asksForMore
                  ? " everything that comes into the chain."
                  : " everything that this one asks for.");
    } else {
      sentence =
          "Together, "
              + causes.size()
              + " earlier rules leave nothing here of what this one asks for.";
    }
    Finding found = finding(kind, node, causes, sentence);
    if (!first.decides() && !first.returns() && !first.goesTo()) {
      return found;
    }
    int taken = sets.and(possible, first.matched);
    int shown = taken == PacketSets.NONE ? possible : taken;
    return found.shownBy(examples.taken(table, shown, first, node));
  }

  static boolean isReject(RuleNode node) {
    return node.rule.action().label().equals("REJECT");
  }

  static String named(RuleNode node, RuleNode seenFrom) {
    return "Rule "
        + node.number
        + (node.chain.equals(seenFrom.chain) ? "" : " of chain " + node.chain);
  }

  /** What it does to packets, as a verb. */
  static String does(RuleNode node) {
    return switch (node.rule.action().label()) {
      case "ACCEPT" -> "already accepts";
      case "DROP" -> "already drops";
      case "REJECT" -> "already rejects";
      case "RETURN" -> "returns with";
      case "QUEUE", "NFQUEUE" -> "already queues";
      default -> node.goesTo() ? "goes elsewhere with" : "already translates";
    };
  }

  private String contradiction(RuleNode node) {
    List<Asked.Part> parts = fewest(node.parts, table.fields.possible(), sets);
    if (parts.size() == 1) {
      return "No packet has \"" + parts.get(0).text() + "\": it excludes itself.";
    }
    return "No packet has " + quoted(parts) + (parts.size() == 2 ? " both." : " at once.");
  }

  /** The fewest parts of a rule that nothing of {@code set} has; null when something has all. */
  static List<Asked.Part> fewest(List<Asked.Part> all, int set, PacketSets sets) {
    List<Asked.Part> parts = new ArrayList<>(all);
    if (with(parts, set, sets) != PacketSets.NONE) {
      return null;
    }
    for (Asked.Part part : all) {
      List<Asked.Part> fewer = new ArrayList<>(parts);
      fewer.remove(part);
      if (with(fewer, set, sets) == PacketSets.NONE) {
        parts = fewer;
      }
    }
    return parts;
  }

  private static int with(List<Asked.Part> parts, int set, PacketSets sets) {
    int left = set;
    for (Asked.Part part : parts) {
      left = sets.and(left, part.set());
    }
    return left;
  }

  static String quoted(List<Asked.Part> parts) {
    return parts.stream()
        .map(part -> "\"" + part.text() + "\"")
        .collect(Collectors.joining(" and "));
  }
}
