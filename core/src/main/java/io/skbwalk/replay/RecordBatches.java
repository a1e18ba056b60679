// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.trace.TraceEvent;
import java.util.List;
import java.util.concurrent.Executor;

/** Hands records on by the batch, to be written in another thread than the one that replays. */
public final class RecordBatches implements Replay.Sink {
  private static final int MOST = 128;

  /** What the records of a batch hold at most before it goes on, about, in bytes. */
  private static final int MOST_BYTES = 1 << 19;

  /** What an event holds, about. */
  private static final int EVENT = 150;

  private final Replay.Sink sink;
  private final Executor behind;
  private FrameRecord[] batch = new FrameRecord[MOST];
  private int count;
  private int bytes;

  /**
   * For one sink.
   *
   * @param behind does what it is handed, one after the other
   */
  public RecordBatches(Replay.Sink sink, Executor behind) {
    this.sink = sink;
    this.behind = behind;
  }

  @Override
  public void frame(FrameRecord record) {
    batch[count++] = record;
    bytes += bytes(record);
    if (count == MOST || bytes >= MOST_BYTES) {
      flush();
    }
  }

  private static int bytes(FrameRecord record) {
    int bytes = record.frame == null ? 0 : record.frame.length;
    bytes += record.delivered == null ? 0 : record.delivered.length;
    for (int i = 0; i < record.outs.size(); i++) {
      byte[] left = record.outs.get(i).frame();
      bytes += left == null ? 0 : left.length;
    }
    List<TraceEvent> events = record.events;
    return bytes + (events == null ? 0 : events.size() * EVENT);
  }

  /** Hands on those that wait. */
  public void flush() {
    FrameRecord[] full = batch;
    int records = count;
    batch = new FrameRecord[MOST];
    count = 0;
    bytes = 0;
    behind.execute(
        () -> {
          for (int i = 0; i < records; i++) {
            sink.frame(full[i]);
          }
        });
  }
}
