// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.skb.DropReason;
import java.util.Arrays;
import java.util.List;

/**
 * What became of packets, each kind once: a capture has few, whatever its number of frames, so that
 * what is told of a kind is put into words once.
 */
public final class Outcomes {
  /** Kinds that are remembered; beyond that all are forgotten. */
  private static final int MOST = 1 << 12;

  private static final int SLOTS = 1 << 10;

  /** Alike: the same fate by the same rules; one object each while it is remembered. */
  public static final class Outcome {
    /** What is told of it; null until somebody has put it into words. */
    byte[] words;

    private final Fate fate;
    private final DropReason reason;
    private final String at;
    private final String state;
    private final boolean reply;
    private final RuleReference verdict;
    private final Hook hook;
    private final RuleReference[] rules;
    private Outcome next;

    private Outcome(FrameRecord record) {
      fate = record.fate;
      reason = record.reason;
      at = record.at;
      state = record.state;
      reply = record.reply;
      verdict = record.verdict;
      hook = record.hook;
      rules = record.rules.toArray(new RuleReference[0]);
    }

    private boolean isThatOf(FrameRecord record) {
      return fate == record.fate
          && reason == record.reason
          && verdict == record.verdict
          && hook == record.hook
          && reply == record.reply
          && same(at, record.at)
          && same(state, record.state)
          && same(rules, record.rules);
    }

    private static boolean same(String one, String other) {
      return one == null ? other == null : one.equals(other);
    }

    private static boolean same(RuleReference[] some, List<RuleReference> others) {
      boolean same = some.length == others.size();
      for (int i = 0; same && i < some.length; i++) {
        same = some[i] == others.get(i);
      }
      return same;
    }
  }

  private final Outcome[] slots = new Outcome[SLOTS];
  private int count;

  /** That of a record as it is now. */
  public Outcome of(FrameRecord record) {
    int slot = hash(record) & SLOTS - 1;
    for (Outcome one = slots[slot]; one != null; one = one.next) {
      if (one.isThatOf(record)) {
        return one;
      }
    }
    if (count == MOST) {
      Arrays.fill(slots, null);
      count = 0;
    }
    Outcome one = new Outcome(record);
    one.next = slots[slot];
    slots[slot] = one;
    count++;
    return one;
  }

  private static int hash(FrameRecord record) {
    int hash = record.fate == null ? 0 : record.fate.ordinal();
    hash = hash * 31 + (record.state == null ? 0 : record.state.hashCode());
    hash = hash * 31 + (record.reply ? 1 : 0);
    List<RuleReference> rules = record.rules;
    for (int i = 0; i < rules.size(); i++) {
      RuleReference rule = rules.get(i);
      hash = hash * 31 + rule.number();
      hash = hash * 31 + rule.chain().hashCode();
    }
    return hash ^ hash >>> 10 ^ hash >>> 20;
  }
}
