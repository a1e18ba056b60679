// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.JsonText;
import io.skbwalk.replay.PacketFields;
import io.skbwalk.replay.Replay;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of the packets of one replay, in little: packets of the same outcome, of which a
 * capture has few, share it. 100,000 packets are 400 kB.
 */
final class ReplayedPackets implements Replay.Sink {
  /** Frames whose list a browser still holds. */
  private static final int MOST = 500_000;

  /** Alike to a reader: the same rules, the same end. */
  private static final class Outcome {
    private final FrameRecord like;
    private final int index;

    private Outcome(FrameRecord like, int index) {
      this.like = like;
      this.index = index;
    }

    /** Rules are one object each. */
    private static int hash(FrameRecord record) {
      int hash = record.fate.ordinal() * 31 + System.identityHashCode(record.verdict);
      for (RuleReference rule : record.rules) {
        hash = hash * 31 + System.identityHashCode(rule);
      }
      return hash * 31 + record.outs.size();
    }

    private boolean isThatOf(FrameRecord record) {
      return like.fate == record.fate
          && like.verdict == record.verdict
          && like.hook == record.hook
          && like.reason == record.reason
          && same(like.at, record.at)
          && same(like.state, record.state)
          && like.reply == record.reply
          && like.device.equals(record.device)
          && sameRules(record)
          && sameInterfaces(record);
    }

    private static boolean same(String one, String other) {
      return one == null ? other == null : one.equals(other);
    }

    private boolean sameRules(FrameRecord record) {
      boolean same = like.rules.size() == record.rules.size();
      for (int i = 0; same && i < record.rules.size(); i++) {
        same = like.rules.get(i) == record.rules.get(i);
      }
      return same;
    }

    private boolean sameInterfaces(FrameRecord record) {
      boolean same = like.outs.size() == record.outs.size();
      for (int i = 0; same && i < record.outs.size(); i++) {
        same = like.outs.get(i).device().equals(record.outs.get(i).device());
      }
      return same;
    }
  }

  private final Map<Integer, List<Outcome>> known = new HashMap<>();
  private final JsonText outcomes = new JsonText().beginArray();
  private final StringBuilder packets = new StringBuilder();
  private int count;
  private long last;

  @Override
  public void frame(FrameRecord record) {
    if (!record.isChosen()) {
      return;
    }
    if (record.number > MOST) {
      throw new Unusable("serve: more than " + MOST + " frames are too many for one page");
    }
    packets.append(packets.length() == 0 ? "" : ",").append(record.number - last);
    packets.append(',').append(outcome(record));
    last = record.number;
  }

  private int outcome(FrameRecord record) {
    List<Outcome> some = known.computeIfAbsent(Outcome.hash(record), hash -> new ArrayList<>(1));
    for (Outcome one : some) {
      if (one.isThatOf(record)) {
        return one.index;
      }
    }
    some.add(new Outcome(record, count));
    outcomes.beginObject();
    if (!record.device.isEmpty()) {
      outcomes.field("in", record.device);
    }
    PacketFields.outcome(outcomes, record);
    outcomes.beginArray("out");
    for (FrameRecord.Out out : record.outs) {
      outcomes.add(out.device());
    }
    outcomes.endArray().endObject();
    return count++;
  }

  /**
   * Two fields without braces: {@code outcomes}, and {@code packets}, of each packet how far its
   * number is from the one before and the index of its outcome.
   */
  String json() {
    return "\"outcomes\":" + outcomes.endArray() + ",\"packets\":[" + packets + ']';
  }
}
