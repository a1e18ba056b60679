// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.lib.SourcePosition;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.WalkText;
import io.skbwalk.trace.TraceEvent;
import java.util.List;

/**
 * What does not hold of one packet, or at the end of an experiment.
 *
 * @param subject whose: {@code packet 3}, {@code the end}
 * @param mismatches what was expected and what is there, in the order of the file
 * @param record the packet; null at the end, and for a packet that was never sent
 * @param walk its steps, up to where the first of what was expected and the walk part
 */
public record Failure(
    String subject, List<Mismatch> mismatches, FrameRecord record, List<TraceEvent> walk) {
  /**
   * One expectation that does not hold.
   *
   * @param at where it is written
   * @param key what it is about
   * @param got what is there instead, {@code none} for nothing
   */
  public record Mismatch(SourcePosition at, String key, String expected, String got) {
    /** One line without the place. */
    public String inWords() {
      return key + ": expected " + expected + ", got " + got;
    }
  }

  /** The walk as text, with what became of the packet when it goes so far; empty without one. */
  public String walkText(WalkText text) {
    if (record == null) {
      return "";
    }
    List<TraceEvent> whole = record.events;
    if (!isWhole()) {
      return text.steps(walk);
    }
    record.events = walk;
    try {
      return text.tell(record);
    } finally {
      record.events = whole;
    }
  }

  private boolean isWhole() {
    return !walk.isEmpty()
        && walk.get(walk.size() - 1) == record.events.get(record.events.size() - 1);
  }
}
