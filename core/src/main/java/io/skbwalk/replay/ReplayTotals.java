// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.Truncation;
import java.util.ArrayList;
import java.util.List;

/** What a replay counts. Times are nanoseconds since the epoch. */
public final class ReplayTotals {
  /** Frames read from the input. */
  public long read;

  /** Frames that the filter left out. */
  public long filtered;

  /** Frames of a capture of both sides that the machine had just put there itself by forwarding. */
  public long seenAgain;

  /** Frames that the machine was given. */
  public long frames;

  /** Their bytes as they were on the wire. */
  public long bytes;

  /** Frames of which the capture has only the beginning (snapshot length). */
  public long shortened;

  /** Frames that left the machine. */
  public long left;

  /** Of those, answers that the stack made. */
  public long answers;

  /** Time of the first frame. */
  public long first;

  /** The latest time of a frame. */
  public long last;

  /** By {@link Fate#ordinal}. */
  public final long[] fates = new long[Fate.values().length];

  /** Dropped frames. */
  public final DropCounts drops = new DropCounts();

  /** Dropped packets that are no frame of the input: answers, and what waited too long. */
  public final DropCounts otherDrops = new DropCounts();

  /** Captures that break off. */
  public final List<Truncation> truncations = new ArrayList<>();

  /** Frames with that fate. */
  public long of(Fate fate) {
    return fates[fate.ordinal()];
  }
}
