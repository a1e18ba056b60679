// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.HostDescription;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.skb.DropReason;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Makes packets that show a finding, sends each through a machine under the rules, and keeps it
 * only when the machine does what the finding says.
 */
final class Examples {
  /** Findings that are shown; and packets that are tried for one, and for all. */
  private static final int MOST = 200;

  private static final int MOST_FOR_ONE = 40;
  private static final int MOST_IN_ALL = 2000;

  private final RuleSet rules;
  private final Attempts attempts;
  private int shown;
  private int tried;

  Examples(RuleSet rules, HostDescription host, String hostFile, Reach reach) {
    this.rules = rules;
    attempts = new Attempts(rules, host, hostFile, reach);
  }

  /** Makes none. */
  static Examples none() {
    Examples examples = new Examples(RuleSet.EMPTY, null, null, null);
    examples.shown = MOST;
    return examples;
  }

  /**
   * A packet of {@code set} that {@code taker}, or another rule of the table, decides on before
   * {@code missed} could see it.
   */
  Finding.Example taken(TableSets table, int set, RuleNode taker, RuleNode missed) {
    return shown(
        () -> attempts.of(table, missed.chain, set),
        (attempt, records) -> {
          FrameRecord record = last(records);
          if (matched(record, missed)) {
            return null;
          }
          boolean other =
              record.verdict != null
                  && record.verdict.table() == table.kind()
                  && record.verdict.number() > 0;
          return matched(record, taker) ? decision(taker) : other ? end(record) : null;
        });
  }

  /** A packet that {@code rule} asks for and that does not come to it, or differs when it does. */
  Finding.Example astray(TableSets table, RuleNode rule) {
    return shown(
        () -> attempts.astray(table, rule),
        (attempt, records) ->
            matched(last(records), rule)
                ? null
                : end(last(records)) + ", without a match at " + label(rule));
  }

  /** A packet of {@code set} that {@code rule} accepts. */
  Finding.Example decided(TableSets table, int set, RuleNode rule) {
    return shown(
        () -> attempts.of(table, rule.chain, set),
        (attempt, records) -> matched(last(records), rule) ? decision(rule) : null);
  }

  /** A connection whose first packet {@code rule} accepts, and of which another is dropped. */
  Finding.Example begun(TableSets table, Hook hook, int set, RuleNode rule) {
    return shown(
        () -> attempts.goingOn(table, hook, set),
        (attempt, records) -> {
          FrameRecord later = last(records);
          boolean stuck =
              matched(records.get(0), rule)
                  && !isDropped(records.get(0), table.kind())
                  && "ESTABLISHED".equals(later.state)
                  && later.hook == hook
                  && isDropped(later, table.kind());
          return stuck ? decision(rule) + ", then " + end(later) : null;
        });
  }

  /** A packet that {@code rule} decides on and that fares the same without it, and by what. */
  Finding.Example redundant(TableSets table, RuleNode rule) {
    return shown(
        () -> attempts.of(table, rule.chain, rule.matched),
        (attempt, records) -> {
          FrameRecord without = without(rule, attempt, records);
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
        () -> attempts.of(table, rule.chain, rule.matched),
        (attempt, records) ->
            without(rule, attempt, records) == null
                ? null
                : "matches "
                    + label(rule)
                    + "; then "
                    + end(last(records))
                    + ", with or without it");
  }

  /**
   * A packet that {@code rule} sends elsewhere, where the table filter drops it.
   *
   * @param to where; 0 for this machine
   */
  Finding.Example droppedBehind(TableSets table, RuleNode rule, int to) {
    return shown(
        () -> attempts.leadingTo(table, rule.chain, rule.matched, to),
        (attempt, records) ->
            matched(last(records), rule) && isDropped(last(records), TableKind.FILTER)
                ? decision(rule) + ", then " + end(last(records))
                : null);
  }

  private static FrameRecord last(List<FrameRecord> records) {
    return records.get(records.size() - 1);
  }

  private static boolean isDropped(FrameRecord record, TableKind table) {
    return record.reason == DropReason.NETFILTER_DROP
        && record.verdict != null
        && record.verdict.table() == table;
  }

  /** What became of it, and by which rule. */
  private static String end(FrameRecord record) {
    RuleReference verdict = record.verdict;
    if (verdict != null) {
      return verdict.target() + " by " + verdict.label();
    }
    return record.fate.label + (record.reason == null ? "" : ", " + record.reason);
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
  private FrameRecord without(RuleNode rule, Attempt attempt, List<FrameRecord> records) {
    if (!matched(last(records), rule)) {
      return null;
    }
    List<FrameRecord> others = attempt.under(rules.without(rule.table, rule.chain, rule.number));
    if (others == null) {
      return null;
    }
    for (int i = 0; i < records.size(); i++) {
      if (!Alike.are(records.get(i), others.get(i))) {
        return null;
      }
    }
    return last(others);
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

  // ---- tried ------------------------------------------------------------------------------------

  private interface Proof {
    /** What is shown, in words; null when it is not. */
    String of(Attempt attempt, List<FrameRecord> records);
  }

  private Finding.Example shown(Supplier<Set<Attempt>> some, Proof proof) {
    if (shown++ >= MOST) {
      return null;
    }
    int left = MOST_FOR_ONE;
    for (Attempt attempt : some.get()) {
      if (left-- == 0 || tried++ >= MOST_IN_ALL) {
        return null;
      }
      List<FrameRecord> records = attempt.under(rules);
      String outcome = records == null ? null : proof.of(attempt, records);
      if (outcome != null) {
        return attempt.with(outcome);
      }
    }
    return null;
  }
}
