// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostException;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.replay.Fate;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Machine;
import io.skbwalk.replay.Replay;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes packets that show a finding, sends each through a machine under the rules, and keeps it
 * only when the machine does what the finding says.
 */
final class Examples {
  private static final long START = 1_767_225_600_000_000_000L;
  private static final int MOST = 200;
  private static final int STRANGER = Ip4.parse("198.51.100.9");

  /** The last byte of an address in an interface's network. */
  private static final int NEIGHBOUR = 9;

  private final RuleSet rules;

  /** The machine, or null when one is made up around each packet. */
  private final HostDescription host;

  private final String hostFile;

  /** What the machine can get; null when it is made up. */
  private final Reach reach;

  private int tried;

  Examples(RuleSet rules, HostDescription host, String hostFile, Reach reach) {
    this.rules = rules;
    this.host = host;
    this.hostFile = hostFile;
    this.reach = reach;
  }

  /** Makes none. */
  static Examples none() {
    Examples examples = new Examples(RuleSet.EMPTY, null, null, null);
    examples.tried = MOST;
    return examples;
  }

  /** A packet of {@code set} that {@code taker} decides on before {@code missed} could see it. */
  Finding.Example taken(TableSets table, int set, RuleNode taker, RuleNode missed) {
    return shown(
        table,
        missed.chain,
        set,
        (machine, text, record) ->
            matched(record, taker) && !matched(record, missed) ? decision(taker) : null);
  }

  /** A packet of {@code set} that {@code rule} accepts. */
  Finding.Example decided(TableSets table, int set, RuleNode rule) {
    return shown(
        table,
        rule.chain,
        set,
        (machine, text, record) -> matched(record, rule) ? decision(rule) : null);
  }

  /** A packet that {@code rule} decides on and that fares the same without it, and by what. */
  Finding.Example redundant(TableSets table, RuleNode rule) {
    return shown(
        table,
        rule.chain,
        rule.matched,
        (machine, text, record) -> {
          FrameRecord without = without(rule, machine, text, record);
          if (without == null) {
            return null;
          }
          String by = by(without, rule);
          return decision(rule) + "; without it, " + (by.isEmpty() ? "the same" : by);
        });
  }

  /** A packet that {@code rule} matches and that fares the same without it. */
  Finding.Example idle(TableSets table, RuleNode rule) {
    return shown(
        table,
        rule.chain,
        rule.matched,
        (machine, text, record) -> {
          if (without(rule, machine, text, record) == null) {
            return null;
          }
          RuleReference verdict = record.verdict;
          return "matches "
              + label(rule)
              + "; then "
              + (verdict == null ? record.fate.label : verdict.target() + " by " + verdict.label())
              + ", with or without it";
        });
  }

  /** A packet that {@code rule} sends elsewhere, where the table filter drops it. */
  Finding.Example droppedBehind(TableSets table, RuleNode rule) {
    return shown(
        table,
        rule.chain,
        rule.matched,
        (machine, text, record) -> {
          RuleReference verdict = record.verdict;
          boolean dropped =
              matched(record, rule)
                  && record.fate == Fate.DROPPED
                  && verdict != null
                  && verdict.table() == TableKind.FILTER;
          return dropped
              ? decision(rule) + ", then " + verdict.target() + " by " + verdict.label()
              : null;
        });
  }

  private static String decision(RuleNode node) {
    return node.rule.action().label() + " by " + label(node);
  }

  private static String label(RuleNode node) {
    return node.table.label + "/" + node.chain + "#" + node.number;
  }

  private static boolean matched(FrameRecord record, RuleNode node) {
    for (RuleReference rule : record.rules) {
      if (rule.table() == node.table
          && rule.chain().equals(node.chain)
          && rule.number() == node.number) {
        return true;
      }
    }
    return false;
  }

  // ---- without the rule -------------------------------------------------------------------------

  /**
   * What becomes of the packet without the rule; null unless the rule matched and it is the same.
   */
  private FrameRecord without(
      RuleNode rule, HostDescription machine, String text, FrameRecord record) {
    if (!matched(record, rule)) {
      return null;
    }
    FrameRecord other = sent(machine, rules.without(rule.table, rule.chain, rule.number), text);
    return other != null && Alike.are(record, other) ? other : null;
  }

  /** Which rule of the same table decided instead, by the number that it has with {@code gone}. */
  private static String by(FrameRecord record, RuleNode gone) {
    RuleReference verdict = record.verdict;
    for (int i = record.rules.size() - 1; i >= 0; i--) {
      RuleReference rule = record.rules.get(i);
      if (rule.table() == gone.table && rule.target().equals(gone.rule.action().label())) {
        verdict = rule;
        break;
      }
    }
    if (verdict == null || verdict.table() != gone.table) {
      return "";
    }
    boolean moved = verdict.chain().equals(gone.chain) && verdict.number() >= gone.number;
    String label =
        moved
            ? verdict.table() + "/" + verdict.chain() + "#" + (verdict.number() + 1)
            : verdict.label();
    return verdict.target() + " by " + label;
  }

  // ---- one packet, tried ------------------------------------------------------------------------

  private interface Proof {
    /** What is shown, in words; null when it is not. */
    String of(HostDescription machine, String text, FrameRecord record);
  }

  private Finding.Example shown(TableSets table, String chain, int set, Proof proof) {
    if (tried++ >= MOST) {
      return null;
    }
    for (PlainPacket packet : packets(table, chain, set)) {
      HostDescription machine = host != null ? host : Machine.of(packet.to(), 24).description();
      FrameRecord record = sent(machine, rules, packet.text());
      String outcome = record == null ? null : proof.of(machine, packet.text(), record);
      if (outcome != null) {
        String options = host != null ? "--host " + hostFile : "--as " + Ip4.format(packet.to());
        return Finding.Example.typed(options, packet.text(), outcome);
      }
    }
    return null;
  }

  /** Some to try: by each way into the chain, on each interface. */
  private Set<PlainPacket> packets(TableSets table, String chain, int set) {
    Set<PlainPacket> packets = new LinkedHashSet<>();
    for (Hook hook : table.kind().hooks) {
      if (!table.roots.get(chain).contains(hook.chain)) {
        continue;
      }
      if (host == null) {
        packets.add(PlainPacket.of(table, sets(table, hook, set), STRANGER, "eth0", null));
        continue;
      }
      for (HostDescription.Interface one : host.interfaces()) {
        if (one.name().equals("lo") || one.vlanLink() != null) {
          continue;
        }
        int here = sets(table, hook, set);
        packets.add(PlainPacket.of(table, here, STRANGER, one.name(), host));
        if (!one.addresses().isEmpty()) {
          int neighbour = one.addresses().get(0).address() & 0xFFFFFF00 | NEIGHBOUR;
          packets.add(PlainPacket.of(table, here, neighbour, one.name(), host));
        }
      }
    }
    packets.remove(null);
    return packets;
  }

  private int sets(TableSets table, Hook hook, int set) {
    if (reach == null) {
      return table.sets.and(set, table.at(hook));
    }
    // What leaves is what was forwarded; what the machine sends itself cannot be typed.
    Hook typed = hook == Hook.POST_ROUTING ? Hook.FORWARD : hook;
    return table.sets.and(set, reach.at(typed, table.fields));
  }

  private static FrameRecord sent(HostDescription machine, RuleSet rules, String text) {
    FrameRecord[] last = new FrameRecord[1];
    try {
      Host one = new Host(machine, rules, null, START, 1);
      Replay replay = new Replay(one, false, Replay.Answers.STACK, null, null);
      replay.keepEnds();
      replay.keepDepartures();
      replay.add(record -> last[0] = record);
      replay.runTyped(List.of(TypedPacket.parse("example", text, machine)));
      replay.finish();
    } catch (SourceException | HostException e) {
      // This machine cannot have these rules, or no such packet: there is nothing to show.
      return null;
    }
    return last[0];
  }
}
