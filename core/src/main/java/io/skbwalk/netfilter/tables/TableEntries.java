// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.index.Repetition;
import io.skbwalk.netfilter.tables.index.RuleIndex;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Plays struct xt_table_info: one table of one machine, its rules laid out one behind the other in
 * flat arrays.
 *
 * <p>Each chain ends with an entry of its own: the policy of a built-in chain, the return of a user
 * chain. A jump is an index of an entry.
 */
final class TableEntries {
  // What an entry does, when it is not the index of an entry to jump to (from 0).
  static final int ACCEPT = -1;
  static final int DROP = -2;
  static final int QUEUE = -3;
  static final int RETURN = -4;
  static final int NOTHING = -5;
  static final int TARGET = -6;

  private static final byte NOT_SOURCE = 1;
  private static final byte NOT_DESTINATION = 1 << 1;
  private static final byte NOT_IN = 1 << 2;
  private static final byte NOT_OUT = 1 << 3;
  private static final byte NOT_PROTOCOL = 1 << 4;
  private static final byte FRAGMENT = 1 << 5;
  private static final byte NOT_FRAGMENT = 1 << 6;

  private static final PacketMatch[] NO_MATCHES = {};

  final RuleSet.Table table;
  private final Environment environment;

  // One element an entry.
  private final int[] source;
  private final int[] sourceMask;
  private final int[] destination;
  private final int[] destinationMask;
  private final InterfacePattern[] in;
  private final InterfacePattern[] out;
  private final short[] protocol;
  private final byte[] flags;
  final PacketMatch[][] matches;
  final int[] action;
  final boolean[] goTo;
  final PacketTarget[] targets;

  /** Entries that may do another thing to the next packet of the same connection. */
  private final boolean[] varies;

  /** How many matches stand before the first that varies. */
  private final int[] steady;

  /** Does an entry tell segments of established connections apart by their flags? */
  boolean tellsFlagsApart;

  /** Does the index leave entries out because of what differs from packet to packet? */
  boolean indexVaries;

  final long[] packets;
  final long[] bytes;
  final RuleReference[] references;

  /** The first entry of the chain of each hook, -1 for none. */
  final int[] start = new int[Hook.values().length];

  /** The entry behind the last rule of the chain of each hook. */
  final int[] underflow = new int[Hook.values().length];

  /** How many rules a packet of each hook may come to. */
  final int[] reachable = new int[Hook.values().length];

  TableEntries(RuleSet.Table table, Environment environment) {
    this.table = table;
    this.environment = environment;
    int size = 0;
    Map<String, Integer> firsts = new HashMap<>();
    for (RuleSet.Chain chain : table.chains()) {
      firsts.put(chain.name(), size);
      size += chain.rules().size() + 1;
    }
    source = new int[size];
    sourceMask = new int[size];
    destination = new int[size];
    destinationMask = new int[size];
    in = new InterfacePattern[size];
    out = new InterfacePattern[size];
    protocol = new short[size];
    flags = new byte[size];
    matches = new PacketMatch[size][];
    action = new int[size];
    goTo = new boolean[size];
    targets = new PacketTarget[size];
    varies = new boolean[size];
    steady = new int[size];
    packets = new long[size];
    bytes = new long[size];
    references = new RuleReference[size];
    Arrays.fill(start, -1);
    Map<String, InterfacePattern> patterns = new HashMap<>();
    int entry = 0;
    for (RuleSet.Chain chain : table.chains()) {
      Hook hook = table.kind().hook(chain.name());
      if (hook != null) {
        start[hook.ordinal()] = entry;
        underflow[hook.ordinal()] = entry + chain.rules().size();
      }
      int number = 1;
      for (Rule rule : chain.rules()) {
        lay(entry, rule, firsts, patterns);
        references[entry++] =
            new RuleReference(table.kind(), chain.name(), number++, rule, rule.action().label());
      }
      matches[entry] = NO_MATCHES;
      boolean drops = chain.policy() == Action.Standard.DROP;
      action[entry] = hook == null ? RETURN : drops ? DROP : ACCEPT;
      packets[entry] = chain.packets();
      bytes[entry] = chain.bytes();
      references[entry++] =
          new RuleReference(
              table.kind(),
              chain.name(),
              0,
              null,
              hook == null ? "RETURN" : drops ? "DROP" : "ACCEPT");
    }
    countReachable();
  }

  private void countReachable() {
    for (Hook hook : Hook.values()) {
      if (start[hook.ordinal()] >= 0) {
        reachable[hook.ordinal()] = countReachable(start[hook.ordinal()]);
      }
    }
  }

  /** The rules of a chain and of those that it leads to, each chain once. */
  private int countReachable(int first) {
    BitSet seen = new BitSet();
    Deque<Integer> chains = new ArrayDeque<>(List.of(first));
    int rules = 0;
    while (!chains.isEmpty()) {
      int entry = chains.pop();
      if (seen.get(entry)) {
        continue;
      }
      seen.set(entry);
      for (; references[entry].number() != 0; entry++) {
        rules++;
        if (action[entry] >= 0) {
          chains.push(action[entry]);
        }
      }
    }
    return rules;
  }

  private void lay(
      int entry, Rule rule, Map<String, Integer> firsts, Map<String, InterfacePattern> patterns) {
    BasicMatch basic = rule.basic();
    source[entry] = basic.source();
    sourceMask[entry] = basic.sourceMask();
    destination[entry] = basic.destination();
    destinationMask[entry] = basic.destinationMask();
    in[entry] = pattern(basic.in(), patterns);
    out[entry] = pattern(basic.out(), patterns);
    protocol[entry] = (short) basic.protocol();
    flags[entry] =
        (byte)
            ((basic.notSource() ? NOT_SOURCE : 0)
                | (basic.notDestination() ? NOT_DESTINATION : 0)
                | (basic.notIn() ? NOT_IN : 0)
                | (basic.notOut() ? NOT_OUT : 0)
                | (basic.notProtocol() ? NOT_PROTOCOL : 0)
                | (basic.fragment() ? FRAGMENT : 0)
                | (basic.notFragment() ? NOT_FRAGMENT : 0));
    bind(entry, rule);
    packets[entry] = rule.packets();
    bytes[entry] = rule.bytes();
    if (rule.action() instanceof Action.ToChain to) {
      action[entry] = firsts.get(to.chain());
      goTo[entry] = to.goTo();
    } else if (rule.action() instanceof Action.Extension extension) {
      action[entry] = TARGET;
    } else if (rule.action() instanceof Action.Standard standard) {
      action[entry] =
          switch (standard) {
            case ACCEPT -> ACCEPT;
            case DROP -> DROP;
            case QUEUE -> QUEUE;
            case RETURN -> RETURN;
          };
    } else {
      action[entry] = NOTHING;
    }
  }

  /** Plays check_match and check_target: what one of a rule took is given back when one refuses. */
  private void bind(int entry, Rule rule) {
    Object type = null;
    try {
      matches[entry] = new PacketMatch[rule.matches().size()];
      for (int i = 0; i < rule.matches().size(); i++) {
        Match match = rule.matches().get(i);
        type = match.type();
        matches[entry][i] = match.bind(environment);
        foresee(entry, matches[entry][i], rule.basic());
      }
      if (rule.action() instanceof Action.Extension extension) {
        type = extension.target().type();
        targets[entry] = extension.target().bind(environment);
        varies[entry] |= !targets[entry].repeats();
      }
    } catch (RefusedException e) {
      destroy();
      throw new SourceException(rule.at(), type + ": " + e.getMessage());
    }
  }

  private void foresee(int entry, PacketMatch match, BasicMatch basic) {
    Repetition repetition = Repetition.of(match, basic.notProtocol() ? 0 : basic.protocol());
    varies[entry] |= repetition.varies;
    if (!varies[entry]) {
      steady[entry]++;
    }
    indexVaries |= repetition.isIndexed;
    tellsFlagsApart |= repetition.tellsFlagsApart;
  }

  /** Will an entry that a packet has come to do to the connection's next one what it does to it? */
  boolean repeats(int entry, SkBuff skb, PacketContext context) {
    if (!varies[entry] || !basicMatches(entry, skb, context)) {
      return true;
    }
    for (int i = 0; i < steady[entry]; i++) {
      if (!matches[entry][i].matches(skb, context)) {
        return true;
      }
    }
    // What varies comes next: a match, or the target.
    return false;
  }

  /** Plays cleanup_entry for each: the rules let go of what they hold. */
  void destroy() {
    for (int entry = 0; entry < matches.length; entry++) {
      if (matches[entry] != null) {
        for (PacketMatch match : matches[entry]) {
          if (match != null) {
            match.destroy();
          }
        }
      }
      if (targets[entry] != null) {
        targets[entry].destroy();
      }
    }
  }

  private static InterfacePattern pattern(String name, Map<String, InterfacePattern> patterns) {
    // "+" alone asks nothing, and iptables forgets its inversion too (its mask is empty).
    return name.isEmpty() || name.equals("+")
        ? null
        : patterns.computeIfAbsent(name, InterfacePattern::new);
  }

  boolean basicMatches(int entry, SkBuff skb, PacketContext context) {
    int from = IpHeader.source(skb);
    int to = IpHeader.destination(skb);
    int flags = this.flags[entry];
    if (((from & sourceMask[entry]) != source[entry]) != ((flags & NOT_SOURCE) != 0)
        || ((to & destinationMask[entry]) != destination[entry])
            != ((flags & NOT_DESTINATION) != 0)) {
      return false;
    }
    if (in[entry] != null && in[entry].matches(context.in) == ((flags & NOT_IN) != 0)) {
      return false;
    }
    if (out[entry] != null && out[entry].matches(context.out) == ((flags & NOT_OUT) != 0)) {
      return false;
    }
    int wanted = protocol[entry];
    int carries = IpHeader.protocol(skb);
    if (wanted != 0 && (wanted == carries) == ((flags & NOT_PROTOCOL) != 0)) {
      return false;
    }
    return (flags & (FRAGMENT | NOT_FRAGMENT)) == 0
        || (context.fragmentOffset != 0) == ((flags & FRAGMENT) != 0);
  }

  /** What in {@link #basicMatches} failed first. */
  String basicReason(int entry, SkBuff skb, PacketContext context) {
    int from = IpHeader.source(skb);
    int to = IpHeader.destination(skb);
    int flags = this.flags[entry];
    if (((from & sourceMask[entry]) != source[entry]) != ((flags & NOT_SOURCE) != 0)) {
      return "source is " + Ip4.format(from);
    }
    if (((to & destinationMask[entry]) != destination[entry]) != ((flags & NOT_DESTINATION) != 0)) {
      return "destination is " + Ip4.format(to);
    }
    if (in[entry] != null && in[entry].matches(context.in) == ((flags & NOT_IN) != 0)) {
      return context.in == null ? "no incoming interface" : "came in on " + context.in.name;
    }
    if (out[entry] != null && out[entry].matches(context.out) == ((flags & NOT_OUT) != 0)) {
      return context.out == null ? "no outgoing interface" : "leaves on " + context.out.name;
    }
    int wanted = protocol[entry];
    int carries = IpHeader.protocol(skb);
    if (wanted != 0 && (wanted == carries) == ((flags & NOT_PROTOCOL) != 0)) {
      return "protocol is " + Names.protocol(carries);
    }
    return context.fragmentOffset == 0 ? "not a later fragment" : "a later fragment";
  }

  /** The first entry of a chain. */
  int first(String chain) {
    int entry = 0;
    while (!references[entry].chain().equals(chain)) {
      entry++;
    }
    return entry;
  }

  /** The index of the entries, in which no fewer than {@code few} are looked up. */
  RuleIndex index(int few) {
    RuleIndex.Builder builder = new RuleIndex.Builder(matches.length);
    for (int entry = 0; entry < matches.length; entry++) {
      Rule rule = references[entry].rule();
      BasicMatch basic = rule == null ? BasicMatch.ANY : rule.basic();
      builder.add(basic, in[entry], out[entry], matches[entry]);
    }
    return builder.build(few);
  }

  /** The table with the counters as they stand now. */
  RuleSet.Table withCounters() {
    List<RuleSet.Chain> chains = new ArrayList<>();
    int entry = 0;
    for (RuleSet.Chain chain : table.chains()) {
      List<Rule> rules = new ArrayList<>();
      for (Rule rule : chain.rules()) {
        rules.add(
            new Rule(
                rule.basic(),
                rule.matches(),
                rule.action(),
                packets[entry],
                bytes[entry],
                rule.at()));
        entry++;
      }
      chains.add(
          new RuleSet.Chain(
              chain.name(), chain.policy(), packets[entry], bytes[entry], rules, chain.at()));
      entry++;
    }
    return new RuleSet.Table(table.kind(), chains);
  }
}
