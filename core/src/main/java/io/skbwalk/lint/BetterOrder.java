// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.skb.PacketSummary;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** Whether a capture fares the same when a rule stands elsewhere: frame by frame, under both. */
final class BetterOrder {
  private final RuleNode node;

  /** The number that it has there. */
  private final int to;

  private final Deque<FrameRecord> these = new ArrayDeque<>();
  private final Deque<FrameRecord> those = new ArrayDeque<>();
  private boolean same = true;
  private FrameRecord shown;

  private BetterOrder(RuleNode node, int to) {
    this.node = node;
    this.to = to;
  }

  /**
   * A packet of the captures that the rule decides on at either place; null unless every one fares
   * the same.
   */
  static Finding.Example of(RuleSet rules, RuleNode node, int to, List<Captured> captures)
      throws IOException {
    Finding.Example example = null;
    for (Captured capture : captures) {
      BetterOrder order = new BetterOrder(node, to);
      capture.beside(
          rules.moved(node.table, node.chain, node.number, to),
          record -> order.hear(record, order.these),
          record -> order.hear(record, order.those));
      if (!order.same) {
        return null;
      }
      if (example == null && order.shown != null) {
        example = order.example(capture);
      }
    }
    return example;
  }

  private void hear(FrameRecord record, Deque<FrameRecord> own) {
    own.add(record);
    while (!these.isEmpty() && !those.isEmpty()) {
      FrameRecord a = these.poll();
      FrameRecord b = those.poll();
      same &= Alike.are(a, b);
      if (shown == null && matched(a, node.number) && matched(b, to)) {
        shown = a;
      }
    }
  }

  private boolean matched(FrameRecord record, int number) {
    for (RuleReference rule : record.rules) {
      if (rule.table() == node.table
          && rule.chain().equals(node.chain)
          && rule.number() == number) {
        return true;
      }
    }
    return false;
  }

  private Finding.Example example(Captured capture) {
    return new Finding.Example(
        capture.machine(),
        capture.name(),
        shown.number,
        List.of(),
        PacketSummary.ofFrame(shown.frame, 0, shown.frame.length),
        node.rule.action().label() + " by " + Finding.Place.of(node).label() + ", and there, too");
  }
}
