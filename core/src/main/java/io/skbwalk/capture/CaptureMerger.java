// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.util.List;

/**
 * Several captures as one, by timestamp. Of frames with equal timestamps the one whose capture was
 * named first comes first. Within a capture the order of the file is kept, even where its
 * timestamps go back. Allocates nothing per frame.
 */
public final class CaptureMerger implements AutoCloseable {
  private final CaptureReader[] readers;
  private final boolean[] waiting;
  private int current = -1;
  private boolean started;

  /** Takes the readers over; closing this closes them. */
  public CaptureMerger(List<CaptureReader> readers) {
    this.readers = readers.toArray(new CaptureReader[0]);
    this.waiting = new boolean[this.readers.length];
  }

  /**
   * Reads the first frame of each capture, so that {@link #firstTime} can be asked before {@link
   * #next}.
   */
  public void peek() {
    if (!started) {
      started = true;
      for (int i = 0; i < readers.length; i++) {
        waiting[i] = readers[i].next();
      }
    }
  }

  /** The time of the earliest frame that waits, or {@code otherwise} when there is none. */
  public long firstTime(long otherwise) {
    long earliest = otherwise;
    boolean any = false;
    for (int i = 0; i < readers.length; i++) {
      if (waiting[i] && (!any || readers[i].timestampNanos() < earliest)) {
        earliest = readers[i].timestampNanos();
        any = true;
      }
    }
    return earliest;
  }

  /**
   * Goes to the next frame of all; false when every capture is at its end.
   *
   * @throws CaptureException as {@link CaptureReader#next} does
   */
  public boolean next() {
    if (!started) {
      peek();
    } else if (current >= 0) {
      waiting[current] = readers[current].next();
    }
    current = -1;
    long earliest = 0;
    for (int i = 0; i < readers.length; i++) {
      if (waiting[i] && (current < 0 || readers[i].timestampNanos() < earliest)) {
        current = i;
        earliest = readers[i].timestampNanos();
      }
    }
    return current >= 0;
  }

  /** Which capture, in the order given, the current frame is from; -1 before and after all. */
  public int index() {
    return current;
  }

  /** The capture that stands at the current frame. Do not call its {@code next}. */
  public CaptureReader current() {
    return readers[current];
  }

  @Override
  public void close() {
    for (CaptureReader reader : readers) {
      reader.close();
    }
  }
}
