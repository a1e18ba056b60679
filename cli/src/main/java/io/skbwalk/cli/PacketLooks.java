// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import io.skbwalk.skb.PacketSummary;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.BitSet;

/**
 * What packets look like as they come, whatever becomes of them: the part of a page's list that no
 * rule changes, so that it is sent once. In one JSON array, of each packet: how far its number is
 * from the one before, nanoseconds since the one before, bytes, summary.
 */
final class PacketLooks implements Replay.Sink {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final JsonGenerator json;
  private final BitSet numbers = new BitSet();
  private long last;
  private long lastTime;

  PacketLooks() throws IOException {
    json = new JsonFactory().createGenerator(bytes);
    json.writeStartArray();
  }

  @Override
  public void frame(FrameRecord record) {
    if (!record.isChosen()) {
      return;
    }
    try {
      json.writeNumber(record.number - last);
      // Only what has passed is shown, so the first stands at 0.
      json.writeNumber(last == 0 ? 0 : record.time - lastTime);
      json.writeNumber(record.length);
      json.writeString(PacketSummary.ofFrame(record.frame, 0, record.frame.length));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    numbers.set((int) record.number);
    last = record.number;
    lastTime = record.time;
  }

  /** Ends the array. */
  void complete() throws IOException {
    json.writeEndArray();
    json.close();
  }

  /** Has this packet been seen? */
  boolean has(long number) {
    return numbers.get((int) number);
  }

  /** The array, in UTF-8. */
  byte[] json() {
    return bytes.toByteArray();
  }
}
