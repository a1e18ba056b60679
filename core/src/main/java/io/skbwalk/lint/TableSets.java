// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.targets.MarkTarget;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Plays ipt_do_table with all packets at once: sends everything that may come through each built-in
 * chain and notes at each rule what came, and what matched. A set is never smaller than the truth.
 */
final class TableSets {
  /** Targets that leave everything as it is that later rules ask for. */
  private static final Set<String> CHANGE_NOTHING =
      Set.of(
          "AUDIT",
          "CHECKSUM",
          "CLASSIFY",
          "CONNSECMARK",
          "IDLETIMER",
          "LED",
          "LOG",
          "NFLOG",
          "RATEEST",
          "SECMARK",
          "TEE",
          "TRACE");

  /** Those that change something that a match sees which is not understood. */
  private static final Set<String> CHANGE_HEADERS =
      Set.of("DSCP", "ECN", "TCPMSS", "TCPOPTSTRIP", "TOS", "TTL");

  final RuleSet.Table table;
  final PacketSets sets;
  final PacketFields fields;

  /** The rules of each chain. */
  final Map<String, List<RuleNode>> chains = new LinkedHashMap<>();

  /** What comes into each chain. */
  final Map<String, Integer> entered = new HashMap<>();

  /** What the policy of each built-in chain decides on. */
  final Map<String, Integer> left = new HashMap<>();

  /** The built-in chains from which jumps lead to each chain. */
  final Map<String, Set<String>> roots = new HashMap<>();

  private final Map<Hook, Integer> comes = new EnumMap<>(Hook.class);
  private final Reach reach;
  private int visits;

  private final Map<String, Map<Integer, Integer>> returned = new HashMap<>();

  /**
   * Sends everything through {@code table}.
   *
   * @param reach what the machine can get; null for everything
   * @throws PacketSets.TooComplex when it cannot be done in bounded memory
   */
  TableSets(RuleSet.Table table, PacketFields fields, Reach reach) {
    this.table = table;
    this.fields = fields;
    this.reach = reach;
    sets = fields.sets;
    Asked asked = new Asked(fields);
    for (RuleSet.Chain chain : table.chains()) {
      List<RuleNode> nodes = new ArrayList<>();
      for (Rule rule : chain.rules()) {
        nodes.add(
            new RuleNode(
                table.kind(), chain.name(), nodes.size() + 1, rule, asked.parts(rule), sets));
      }
      chains.put(chain.name(), nodes);
    }
    for (Hook hook : table.kind().hooks) {
      left.put(hook.chain, walk(hook.chain, at(hook)));
      for (String chain : below(hook.chain)) {
        roots.computeIfAbsent(chain, key -> new TreeSet<>()).add(hook.chain);
      }
    }
  }

  /** What may come to a hook: an interface that there is not yet, or no more, is none. */
  int at(Hook hook) {
    return comes.computeIfAbsent(hook, this::coming);
  }

  private int coming(Hook hook) {
    int set = fields.possible();
    if (reach != null) {
      set = sets.and(set, reach.at(hook, fields));
    }
    if (hook == Hook.PRE_ROUTING || hook == Hook.LOCAL_IN) {
      set = sets.and(set, fields.noInterface(PacketFields.OUT));
    }
    if (hook == Hook.FORWARD) {
      set = sets.minus(set, fields.noInterface(PacketFields.IN));
      set = sets.minus(set, fields.noInterface(PacketFields.OUT));
    }
    return hook == Hook.LOCAL_OUT ? sets.and(set, fields.noInterface(PacketFields.IN)) : set;
  }

  /** What some rule or the policy may accept at a hook. */
  int accepted(Hook hook) {
    int accepted =
        policy(hook.chain) == Action.Standard.ACCEPT ? left.get(hook.chain) : PacketSets.NONE;
    for (String chain : below(hook.chain)) {
      for (RuleNode node : chains.get(chain)) {
        boolean lost = node.rule.action() == Action.Standard.DROP || Unmatched.isReject(node);
        if (node.decides() && !lost) {
          accepted = sets.or(accepted, node.matched);
        }
      }
    }
    return sets.and(accepted, at(hook));
  }

  /** The policy of a built-in chain. */
  Action.Standard policy(String chain) {
    Action.Standard policy = table.chain(chain).policy();
    return policy == null ? Action.Standard.ACCEPT : policy;
  }

  boolean isBuiltIn(String chain) {
    return table.kind().hook(chain) != null;
  }

  TableKind kind() {
    return table.kind();
  }

  /** Is there a target that changes what later rules see? */
  boolean changesPackets() {
    return chains.values().stream()
        .flatMap(List::stream)
        .filter(node -> !node.decides())
        .map(node -> node.rule.action())
        .anyMatch(
            action ->
                action instanceof Action.Extension && !CHANGE_NOTHING.contains(action.label()));
  }

  /** A chain and those that jumps lead to from it, nearest first. */
  Set<String> below(String chain) {
    Set<String> found = new LinkedHashSet<>();
    Deque<String> waiting = new ArrayDeque<>(List.of(chain));
    while (!waiting.isEmpty()) {
      String next = waiting.poll();
      if (found.add(next)) {
        for (RuleNode node : chains.get(next)) {
          if (node.callee() != null) {
            waiting.add(node.callee());
          }
        }
      }
    }
    return found;
  }

  /** The rules that jump or go to a chain. */
  List<RuleNode> callers(String chain) {
    return chains.values().stream()
        .flatMap(List::stream)
        .filter(node -> chain.equals(node.callee()))
        .toList();
  }

  /** Sends {@code set} into a chain; what leaves it by its end or by RETURN. */
  private int walk(String chain, int set) {
    if (set == PacketSets.NONE) {
      return set;
    }
    Map<Integer, Integer> known = returned.computeIfAbsent(chain, key -> new HashMap<>());
    Integer before = known.get(set);
    if (before != null) {
      return before;
    }
    entered.merge(chain, set, sets::or);
    int back = PacketSets.NONE;
    int here = set;
    for (RuleNode node : chains.get(chain)) {
      node.reached = sets.or(node.reached, here);
      node.order = node.order == 0 ? ++visits : node.order;
      int hit = sets.and(here, node.asked);
      if (hit == PacketSets.NONE) {
        continue;
      }
      node.matched = sets.or(node.matched, hit);
      int miss = node.sure ? sets.minus(here, hit) : here;
      if (node.returns()) {
        back = sets.or(back, hit);
        here = miss;
      } else if (node.callee() != null) {
        int end = walk(node.callee(), hit);
        back = node.goesTo() ? sets.or(back, end) : back;
        here = node.goesTo() ? miss : sets.or(miss, end);
      } else if (node.decides()) {
        here = miss;
      } else {
        here = sets.or(miss, changed(node.rule.action(), hit));
      }
    }
    int end = sets.or(back, here);
    known.put(set, end);
    return end;
  }

  /** What packets may be behind a target that lets them go on. */
  private int changed(Action action, int hit) {
    if (!(action instanceof Action.Extension extension)
        || CHANGE_NOTHING.contains(action.label())) {
      return hit;
    }
    if (extension.target() instanceof MarkTarget mark) {
      return marked(hit, mark.value(), mark.mask());
    }
    if (CHANGE_HEADERS.contains(action.label())) {
      return fields.forgetOpaque(hit);
    }
    return switch (action.label()) {
      case "CONNMARK", "HMARK", "SET" -> fields.forgetOpaque(fields.forget(hit, PacketFields.MARK));
      default -> fields.possible();
    };
  }

  /** Bits of the mask become the value's; others stay, or flip where the value has them. */
  private int marked(int hit, int value, int mask) {
    int set = hit;
    for (int i = 0; i < PacketFields.MARK.bits(); i++) {
      int number = PacketFields.MARK.last() - i;
      boolean one = (value >>> i & 1) != 0;
      if ((mask >>> i & 1) != 0) {
        set = sets.and(sets.forget(set, number, number), sets.of(number, one));
      } else if (one) {
        set = sets.forget(set, number, number);
      }
    }
    return set;
  }
}
