// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.LogLine;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Plays struct xt_table_info and ipt_do_table: one table of one machine, its rules laid out one
 * behind the other in flat arrays, and their evaluation rule by rule.
 *
 * <p>Each chain ends with an entry of its own: the policy of a built-in chain, the return of a user
 * chain. A jump is an index of an entry.
 */
final class CompiledTable {
  // What an entry does, when it is not the index of an entry to jump to (from 0).
  private static final int ACCEPT = -1;
  private static final int DROP = -2;
  private static final int QUEUE = -3;
  private static final int RETURN = -4;
  private static final int NOTHING = -5;
  private static final int TARGET = -6;

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
  private final PacketMatch[][] matches;
  private final int[] action;
  private final boolean[] goTo;
  private final PacketTarget[] targets;
  private final long[] packets;
  private final long[] bytes;
  private final RuleReference[] references;

  /** The first entry of the chain of each hook, -1 for none. */
  private final int[] start = new int[Hook.values().length];

  /** The entry behind the last rule of the chain of each hook. */
  private final int[] underflow = new int[Hook.values().length];

  /** What the next packet is judged with; there are more when targets send packets themselves. */
  private Traversal idle;

  /**
   * A packet on its way through the table. A target may send another (TEE) that passes the same
   * table before this one goes on.
   */
  private static final class Traversal {
    final PacketContext context;

    /** Rules to return to. A chain is on it once at most, since there are no loops. */
    final int[] stack;

    /** The next idle one. */
    Traversal next;

    Traversal(PacketContext context, int chains) {
      this.context = context;
      stack = new int[chains];
    }
  }

  private VerdictRecorder recorder;

  CompiledTable(RuleSet.Table table, Environment environment) {
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
    packets = new long[size];
    bytes = new long[size];
    references = new RuleReference[size];
    java.util.Arrays.fill(start, -1);
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
      }
      if (rule.action() instanceof Action.Extension extension) {
        type = extension.target().type();
        targets[entry] = extension.target().bind(environment);
      }
    } catch (RefusedException e) {
      destroy();
      throw new SourceException(rule.at(), type + ": " + e.getMessage());
    }
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

  void record(VerdictRecorder recorder) {
    this.recorder = recorder;
  }

  /** Judges a packet that stands at its IP header. */
  int evaluate(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    Traversal traversal = idle == null ? newTraversal() : idle;
    idle = traversal.next;
    PacketContext context = traversal.context;
    context.hook = hook;
    context.in = in;
    context.out = out;
    context.fragmentOffset = IpHeader.fragment(skb) & IpHeader.IP_OFFSET;
    context.transport = skb.networkHeader + IpHeader.headerLength(skb);
    context.hotdrop = false;
    if (skb.trace != null) {
      RuleReference policy = references[underflow[hook.ordinal()]];
      int rules = underflow[hook.ordinal()] - start[hook.ordinal()];
      skb.trace.on(new TraceEvent.TableEnter(table.kind().label, policy.chain(), rules));
    }
    int decided = run(hook, skb, context, traversal.stack);
    int verdict = decided < 0 ? Verdict.DROP : decidedVerdict;
    traversal.next = idle;
    idle = traversal;
    if (recorder != null) {
      recorder.decided(skb, hook, decided < 0 ? null : references[decided], verdict);
    }
    if (skb.trace != null && verdict != Verdict.STOLEN) {
      skb.trace.on(
          new TraceEvent.TableLeave(table.kind().label, hook.chain, Verdict.name(verdict)));
    }
    return verdict;
  }

  private Traversal newTraversal() {
    return new Traversal(new PacketContext(environment, table.kind()), table.chains().size());
  }

  private int decidedVerdict;

  /** Returns the entry that decided, with {@link #decidedVerdict}; -1 for a hotdrop. */
  private int run(Hook hook, SkBuff skb, PacketContext context, int[] stack) {
    int depth = 0;
    int entry = start[hook.ordinal()];
    int from = IpHeader.source(skb);
    int to = IpHeader.destination(skb);
    int carries = IpHeader.protocol(skb);
    while (true) {
      if (!basicMatches(entry, from, to, carries, context)) {
        if (skb.trace != null) {
          missed(skb, entry, basicReason(entry, from, to, carries, context));
        }
        entry++;
        continue;
      }
      PacketMatch failed = null;
      for (PacketMatch match : matches[entry]) {
        if (!match.matches(skb, context)) {
          failed = match;
          break;
        }
      }
      if (failed != null) {
        if (skb.trace != null) {
          missed(skb, entry, failed.explain(skb, context));
        }
        if (context.hotdrop) {
          return -1;
        }
        entry++;
        continue;
      }
      packets[entry]++;
      bytes[entry] += skb.length();
      RuleReference reference = references[entry];
      if (reference.number() != 0) {
        if (recorder != null) {
          recorder.matched(skb, hook, reference);
        }
        if (skb.trace != null) {
          matched(skb, reference);
          tellFound(skb, entry, context);
        }
      }
      if (skb.nfTrace) {
        traceLine(skb, entry, context);
      }
      int does = action[entry];
      // Some inverted matches want the packet dropped and match all the same: counters count.
      boolean hotdrop = context.hotdrop;
      if (hotdrop && does != TARGET) {
        return -1;
      }
      if (does >= 0) {
        if (!goTo[entry]) {
          stack[depth++] = entry;
        }
        if (skb.trace != null) {
          skb.trace.on(
              new TraceEvent.ChainEnter(table.kind().label, references[does].chain(), goTo[entry]));
        }
        entry = does;
        continue;
      }
      switch (does) {
        case TARGET -> {
          int verdict = targets[entry].target(skb, context);
          if (hotdrop && verdict != Verdict.STOLEN) {
            return -1;
          }
          if (verdict != PacketTarget.CONTINUE) {
            decidedVerdict = verdict;
            return entry;
          }
          from = IpHeader.source(skb);
          to = IpHeader.destination(skb);
          carries = IpHeader.protocol(skb);
          entry++;
        }
        case NOTHING -> entry++;
        case RETURN -> {
          int back = depth == 0 ? underflow[hook.ordinal()] : stack[--depth] + 1;
          if (skb.trace != null && table.kind().hook(reference.chain()) == null) {
            skb.trace.on(
                new TraceEvent.ChainReturn(
                    table.kind().label, reference.chain(), references[back].chain()));
          }
          entry = back;
        }
        default -> {
          if (skb.trace != null && reference.number() == 0) {
            skb.trace.on(
                new TraceEvent.Policy(table.kind().label, reference.chain(), reference.target()));
          }
          decidedVerdict =
              does == ACCEPT ? Verdict.ACCEPT : does == DROP ? Verdict.DROP : Verdict.QUEUE;
          return entry;
        }
      }
    }
  }

  private boolean basicMatches(int entry, int from, int to, int carries, PacketContext context) {
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
    if (wanted != 0 && (wanted == carries) == ((flags & NOT_PROTOCOL) != 0)) {
      return false;
    }
    return (flags & (FRAGMENT | NOT_FRAGMENT)) == 0
        || (context.fragmentOffset != 0) == ((flags & FRAGMENT) != 0);
  }

  /** What in {@link #basicMatches} failed first. */
  private String basicReason(int entry, int from, int to, int carries, PacketContext context) {
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
    if (wanted != 0 && (wanted == carries) == ((flags & NOT_PROTOCOL) != 0)) {
      return "protocol is " + Names.protocol(carries);
    }
    return context.fragmentOffset == 0 ? "not a later fragment" : "a later fragment";
  }

  private void missed(SkBuff skb, int entry, String reason) {
    if (skb.trace.wantsMisses()) {
      RuleReference reference = references[entry];
      skb.trace.on(
          new TraceEvent.RuleMissed(
              table.kind().label,
              reference.chain(),
              reference.number(),
              reference.rule().save(),
              reference.source(),
              reason));
    }
  }

  private void matched(SkBuff skb, RuleReference reference) {
    skb.trace.on(
        new TraceEvent.RuleMatched(
            table.kind().label,
            reference.chain(),
            reference.number(),
            reference.rule().save(),
            reference.source(),
            reference.target()));
  }

  private void tellFound(SkBuff skb, int entry, PacketContext context) {
    PacketMatch[] bound = matches[entry];
    for (int i = 0; i < bound.length; i++) {
      String found = bound[i].found(skb, context);
      if (found != null) {
        String name = references[entry].rule().matches().get(i).type().name;
        skb.trace.on(new TraceEvent.Detail(name, found));
      }
    }
  }

  /** Plays trace_packet: the kernel's own line about the entry that matched. */
  private void traceLine(SkBuff skb, int entry, PacketContext context) {
    RuleReference reference = references[entry];
    int number = entry - first(reference.chain()) + 1;
    // An unconditional standard verdict looks to the kernel like the end of the chain.
    boolean end =
        action[entry] < 0
            && action[entry] > NOTHING
            && (reference.number() == 0
                || reference.rule().matches().isEmpty()
                    && reference.rule().basic().equals(BasicMatch.ANY));
    boolean builtIn = table.kind().hook(reference.chain()) != null;
    String type = !end ? "rule" : builtIn ? "policy" : "return";
    context.log(
        skb,
        "TRACE: " + table.kind() + ":" + reference.chain() + ":" + type + ":" + number + " ",
        LogLine.TRACE_LEVEL,
        LogLine.DEFAULT_FLAGS);
  }

  private int first(String chain) {
    int entry = 0;
    while (!references[entry].chain().equals(chain)) {
      entry++;
    }
    return entry;
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
