// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.JsonText;
import io.skbwalk.replay.Outcomes;
import io.skbwalk.replay.PacketFields;
import io.skbwalk.replay.Replay;
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

  /** Alike to a reader: the same rules, the same end, by the same interfaces. */
  private record Alike(Outcomes.Outcome outcome, String device, List<String> outs) {}

  private final Outcomes kinds = new Outcomes();
  private final Map<Alike, Integer> known = new HashMap<>();
  private final JsonText outcomes = new JsonText().beginArray();
  private final StringBuilder packets = new StringBuilder();
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
    List<String> outs = record.outs.stream().map(FrameRecord.Out::device).toList();
    Alike alike = new Alike(kinds.of(record), record.device, outs);
    Integer index = known.putIfAbsent(alike, known.size());
    if (index != null) {
      return index;
    }
    outcomes.beginObject();
    if (!record.device.isEmpty()) {
      outcomes.field("in", record.device);
    }
    PacketFields.outcome(outcomes, record);
    outcomes.beginArray("out");
    outs.forEach(outcomes::add);
    outcomes.endArray().endObject();
    return known.size() - 1;
  }

  /**
   * Two fields without braces: {@code outcomes}, and {@code packets}, of each packet how far its
   * number is from the one before and the index of its outcome.
   */
  String json() {
    return "\"outcomes\":" + outcomes.endArray() + ",\"packets\":[" + packets + ']';
  }
}
