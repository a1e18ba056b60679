// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.LogLine;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.tables.index.Candidates;
import io.skbwalk.netfilter.tables.index.RuleIndex;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays ipt_do_table: one table of one machine judges packets, entry by entry. The entries that
 * cannot match are skipped with the help of a {@link RuleIndex}, unless somebody wants to hear why.
 */
final class CompiledTable {
  /** So few rules are rather asked one by one; the tests look up all. */
  private static final int FEW = Integer.getInteger("skbwalk.tables.few", 12);

  /** A table of no more entries is gone through one by one to note down what a packet meets. */
  private static final int MOST_NOTED = 512;

  /** A hook's rules are worth an index when they are more than this part of {@link #FEW}. */
  private static final int SHARE = 4;

  final RuleSet.Table table;
  private final Environment environment;
  private final TableEntries entries;

  /** Made when the first packet comes. */
  private RuleIndex index;

  private final int few;
  private boolean interprets;

  /** How often sets had been swapped when the index was made. */
  private int swaps;

  /** What the next packet is judged with; there are more when targets send packets themselves. */
  private Traversal idle;

  /**
   * A packet on its way through the table. A target may send another (TEE) that passes the same
   * table before this one goes on.
   */
  private static final class Traversal {
    final PacketContext context;
    final Candidates candidates;

    /** Rules to return to. A chain is on it once at most, since there are no loops. */
    final int[] stack;

    /** The next idle one. */
    Traversal next;

    Traversal(PacketContext context, Candidates candidates, int chains) {
      this.context = context;
      this.candidates = candidates;
      stack = new int[chains];
    }
  }

  private VerdictRecorder recorder;

  CompiledTable(RuleSet.Table table, Environment environment) {
    this(table, environment, FEW);
  }

  /** One in whose index no fewer than {@code few} rules are looked up. */
  CompiledTable(RuleSet.Table table, Environment environment, int few) {
    this.table = table;
    this.environment = environment;
    this.few = few;
    entries = new TableEntries(table, environment);
  }

  /** Plays cleanup_entry for each: the rules let go of what they hold. */
  void destroy() {
    entries.destroy();
  }

  void record(VerdictRecorder recorder) {
    this.recorder = recorder;
  }

  /** Goes from entry to entry from now on, or no longer. */
  void interpret(boolean on) {
    interprets = on;
  }

  /** The table with the counters as they stand now. */
  RuleSet.Table withCounters() {
    return entries.withCounters();
  }

  /** Judges a packet that stands at its IP header. */
  int evaluate(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    if (swaps != environment.ipsets().swaps()) {
      forgetIndex();
    }
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
      int start = entries.start[hook.ordinal()];
      int underflow = entries.underflow[hook.ordinal()];
      String chain = entries.references[underflow].chain();
      skb.trace.on(new TraceEvent.TableEnter(table.kind().label, chain, underflow - start));
    }
    // What a rule sends to this machine itself comes in once the table is done.
    environment.net().disableBottomHalves();
    int decided = run(hook, skb, traversal);
    int verdict = decided < 0 ? Verdict.DROP : decidedVerdict;
    traversal.next = idle;
    idle = traversal;
    if (recorder != null) {
      recorder.decided(skb, hook, decided < 0 ? null : entries.references[decided], verdict);
    }
    if (skb.trace != null && verdict != Verdict.STOLEN) {
      skb.trace.on(
          new TraceEvent.TableLeave(table.kind().label, hook.chain, Verdict.name(verdict)));
    }
    environment.net().enableBottomHalves();
    return verdict;
  }

  private Traversal newTraversal() {
    if (index == null) {
      index = entries.index(few);
    }
    return new Traversal(
        new PacketContext(environment, table.kind()), new Candidates(index), table.chains().size());
  }

  /** Another set, which may count, has the place of one that a match asks. */
  private void forgetIndex() {
    swaps = environment.ipsets().swaps();
    index = null;
    idle = null;
  }

  private int decidedVerdict;

  /** Returns the entry that decided, with {@link #decidedVerdict}; -1 for a hotdrop. */
  private int run(Hook hook, SkBuff skb, Traversal traversal) {
    TableEntries entries = this.entries;
    PacketContext context = traversal.context;
    Candidates candidates = traversal.candidates;
    boolean indexed =
        !interprets
            && entries.reachable[hook.ordinal()] > few / SHARE
            && (skb.trace == null || !skb.trace.wantsMisses())
            && candidates.begin(skb, context);
    boolean noted = skb.flow < 0;
    if (noted) {
      indexed = indexed && !note(skb);
    }
    int[] stack = traversal.stack;
    int depth = 0;
    int entry = entries.start[hook.ordinal()];
    while (true) {
      boolean matches;
      if (indexed) {
        entry = candidates.next(entry);
      }
      if (noted && !entries.repeats(entry, skb, context)) {
        environment.flows().varies(skb);
        noted = false;
      }
      if (indexed) {
        matches = candidates.matches(entry, skb, context);
        if (candidates.mayChange(entry)) {
          indexed = candidates.again(skb, context);
        }
      } else {
        matches = matches(entry, skb, context);
      }
      if (!matches) {
        if (context.hotdrop) {
          return -1;
        }
        entry++;
        continue;
      }
      entries.packets[entry]++;
      entries.bytes[entry] += skb.length();
      if (noted) {
        environment.flows().matched(skb, entries.packets, entries.bytes, entry);
      }
      if (recorder != null || skb.trace != null) {
        tellMatched(hook, skb, entry, context);
      }
      if (skb.nfTrace) {
        traceLine(skb, entry, context);
      }
      int does = entries.action[entry];
      // Some inverted matches want the packet dropped and match all the same: counters count.
      boolean hotdrop = context.hotdrop;
      if (hotdrop && does != TableEntries.TARGET) {
        return -1;
      }
      if (does >= 0) {
        if (!entries.goTo[entry]) {
          stack[depth++] = entry;
        }
        if (skb.trace != null) {
          String to = entries.references[does].chain();
          skb.trace.on(new TraceEvent.ChainEnter(table.kind().label, to, entries.goTo[entry]));
        }
        entry = does;
        continue;
      }
      switch (does) {
        case TableEntries.TARGET -> {
          int verdict = entries.targets[entry].target(skb, context);
          if (hotdrop && verdict != Verdict.STOLEN) {
            return -1;
          }
          if (verdict != PacketTarget.CONTINUE) {
            decidedVerdict = verdict;
            return entry;
          }
          indexed = indexed && candidates.again(skb, context);
          entry++;
        }
        case TableEntries.NOTHING -> entry++;
        case TableEntries.RETURN -> {
          int back = depth == 0 ? entries.underflow[hook.ordinal()] : stack[--depth] + 1;
          if (skb.trace != null) {
            tellReturn(skb, entry, back);
          }
          entry = back;
        }
        default -> {
          if (skb.trace != null) {
            tellPolicy(skb, entry);
          }
          decidedVerdict =
              does == TableEntries.ACCEPT
                  ? Verdict.ACCEPT
                  : does == TableEntries.DROP ? Verdict.DROP : Verdict.QUEUE;
          return entry;
        }
      }
    }
  }

  /**
   * What the packet meets is noted down.
   *
   * @return true when every entry must be asked for that
   */
  private boolean note(SkBuff skb) {
    if (entries.tellsFlagsApart) {
      environment.flows().tellsFlagsApart(skb);
    }
    if (entries.indexVaries && entries.matches.length > MOST_NOTED) {
      environment.flows().varies(skb);
      return false;
    }
    return entries.indexVaries;
  }

  /** Asks all of an entry, as the kernel does; tells who listens why it does not match. */
  private boolean matches(int entry, SkBuff skb, PacketContext context) {
    if (!entries.basicMatches(entry, skb, context)) {
      if (skb.trace != null) {
        missed(skb, entry, entries.basicReason(entry, skb, context));
      }
      return false;
    }
    for (PacketMatch match : entries.matches[entry]) {
      if (!match.matches(skb, context)) {
        if (skb.trace != null) {
          missed(skb, entry, match.explain(skb, context));
        }
        return false;
      }
    }
    return true;
  }

  // ---- what it tells --------------------------------------------------------------------------

  private void missed(SkBuff skb, int entry, String reason) {
    if (skb.trace.wantsMisses()) {
      RuleReference reference = entries.references[entry];
      skb.trace.on(
          new TraceEvent.RuleMissed(
              table.kind().label,
              reference.chain(),
              reference.number(),
              reference.saved(),
              reference.source(),
              reason));
    }
  }

  private void tellMatched(Hook hook, SkBuff skb, int entry, PacketContext context) {
    RuleReference reference = entries.references[entry];
    if (reference.number() == 0) {
      return;
    }
    if (recorder != null) {
      recorder.matched(skb, hook, reference);
    }
    if (skb.trace != null) {
      matched(skb, reference);
      tellFound(skb, entry, context);
    }
  }

  private void matched(SkBuff skb, RuleReference reference) {
    skb.trace.on(
        new TraceEvent.RuleMatched(
            table.kind().label,
            reference.chain(),
            reference.number(),
            reference.saved(),
            reference.source(),
            reference.target()));
  }

  private void tellFound(SkBuff skb, int entry, PacketContext context) {
    PacketMatch[] bound = entries.matches[entry];
    for (int i = 0; i < bound.length; i++) {
      String found = bound[i].found(skb, context);
      if (found != null) {
        String name = entries.references[entry].rule().matches().get(i).type().name;
        skb.trace.on(new TraceEvent.Detail(name, found));
      }
    }
  }

  private void tellReturn(SkBuff skb, int entry, int back) {
    String from = entries.references[entry].chain();
    if (table.kind().hook(from) == null) {
      String to = entries.references[back].chain();
      skb.trace.on(new TraceEvent.ChainReturn(table.kind().label, from, to));
    }
  }

  private void tellPolicy(SkBuff skb, int entry) {
    RuleReference reference = entries.references[entry];
    if (reference.number() == 0) {
      skb.trace.on(
          new TraceEvent.Policy(table.kind().label, reference.chain(), reference.target()));
    }
  }

  /** Plays trace_packet: the kernel's own line about the entry that matched. */
  private void traceLine(SkBuff skb, int entry, PacketContext context) {
    RuleReference reference = entries.references[entry];
    int number = entry - entries.first(reference.chain()) + 1;
    // An unconditional standard verdict looks to the kernel like the end of the chain.
    boolean end =
        entries.action[entry] < 0
            && entries.action[entry] > TableEntries.NOTHING
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
}
