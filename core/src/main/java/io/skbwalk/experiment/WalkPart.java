// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Where in a packet's walk an expectation shows, and so how much of the walk tells why it does not
 * hold.
 */
enum WalkPart {
  /** What connection tracking makes of the packet. */
  CONNTRACK(
      event -> event instanceof TraceEvent.HookStep step && step.name().equals("conntrack"), false),
  /** A rule, or a policy, decides. */
  DECISION(event -> false, false),
  /** The mark is set. */
  MARK(
      event -> event instanceof TraceEvent.Changed changed && changed.field().endsWith("mark"),
      true),
  /** A packet leaves. */
  DEPARTURE(event -> event instanceof TraceEvent.Sent, false),
  /** All of it. */
  END(event -> false, false);

  /** Rules that did not match, in front of the one that did; more of them tell nobody anything. */
  private static final int MOST_MISSES = 12;

  private final Predicate<TraceEvent> shows;
  private final boolean last;

  WalkPart(Predicate<TraceEvent> shows, boolean last) {
    this.shows = shows;
    this.last = last;
  }

  /** How many steps of the walk there are up to where it shows. */
  int end(FrameRecord record) {
    List<TraceEvent> events = record.events;
    if (this == DECISION) {
      return decision(record);
    }
    int end = events.size();
    for (int i = 0; i < events.size(); i++) {
      if (shows.test(events.get(i))) {
        end = i + 1;
        if (!last) {
          break;
        }
      }
    }
    return end;
  }

  private static int decision(FrameRecord record) {
    RuleReference verdict = record.verdict;
    for (int i = record.events.size() - 1; verdict != null && i >= 0; i--) {
      TraceEvent event = record.events.get(i);
      boolean it =
          event instanceof TraceEvent.RuleMatched rule
                  && rule.number() == verdict.number()
                  && isIn(verdict, rule.table(), rule.chain())
              || event instanceof TraceEvent.Policy policy
                  && verdict.number() == 0
                  && isIn(verdict, policy.table(), policy.chain());
      if (it) {
        return i + 1;
      }
    }
    return record.events.size();
  }

  private static boolean isIn(RuleReference rule, String table, String chain) {
    return rule.table().label.equals(table) && rule.chain().equals(chain);
  }

  /**
   * The first {@code end} steps of a walk without what no rule has to do with: boot, card and
   * interrupt. Of rules that did not match those remain that stand before the one that decided, in
   * its chain.
   */
  static List<TraceEvent> told(FrameRecord record, int end) {
    List<TraceEvent> told = new ArrayList<>();
    int misses = 0;
    for (int i = end - 1; i >= 0; i--) {
      TraceEvent event = record.events.get(i);
      if (event instanceof TraceEvent.RuleMissed missed) {
        RuleReference verdict = record.verdict;
        boolean near = verdict != null && isIn(verdict, missed.table(), missed.chain());
        if (near && misses++ < MOST_MISSES) {
          told.add(0, event);
        }
      } else if (!isBeforeTheStack(event) || "nic".equals(record.at)) {
        told.add(0, event);
      }
    }
    return told;
  }

  private static boolean isBeforeTheStack(TraceEvent event) {
    return event instanceof TraceEvent.InitCall
        || event instanceof TraceEvent.Nic
        || event instanceof TraceEvent.HardIrq
        || event instanceof TraceEvent.SoftIrq;
  }
}
