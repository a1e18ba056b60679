// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/** Writes packets.jsonl: one object a frame, with {@link PacketFields}. */
final class PacketLines implements Replay.Sink {
  /** How much is handed to the file at once, bytes. */
  private static final int BLOCK = 1 << 16;

  private final OutputStream out;
  private final JsonText json = new JsonText();
  private final PacketFields fields = new PacketFields();

  PacketLines(OutputStream out) {
    this.out = out;
  }

  @Override
  public void frame(FrameRecord record) {
    fields.begin(json, record);
    json.endObject().endLine();
    if (json.length() >= BLOCK) {
      flush();
    }
  }

  /** Hands on what waits. */
  void flush() {
    try {
      json.moveTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
