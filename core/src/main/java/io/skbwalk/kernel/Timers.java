// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

import java.util.Arrays;

/**
 * Plays kernel/time/timer.c for the few timers of a host (reassembly queues, neighbour probes). The
 * connection table, which has millions, keeps its own.
 *
 * <p>As in Linux's wheel, a timer never runs early and may run late by up to an eighth of its time:
 * the further off, the coarser the buckets into which timers fall, and all of a bucket run at its
 * end, the one last armed first. A neighbour's question is so repeated 1004 to 1036 ms later, and
 * two that were asked one after the other are asked again in reverse. (The heap in which they are
 * kept here has that order, but no buckets.)
 */
public final class Timers {
  private static final int LEVELS = 9;
  private static final int LEVEL_SIZE = 64;

  /** Buckets of a level are eight times as wide as those of the one below; of the first, a tick. */
  private static final int LEVEL_SHIFT = 3;

  private final Clock clock;
  private Timer[] heap = new Timer[16];
  private int size;
  private long armed;

  /** Timers that run on {@code clock}. */
  public Timers(Clock clock) {
    this.clock = clock;
  }

  /** Plays mod_timer: (re)arms {@code timer} for {@code expires}, nanoseconds since the epoch. */
  public void modify(Timer timer, long expires) {
    timer.expires = expires;
    long due = Clock.jiffies(expires);
    int level = level(due - clock.jiffies());
    int shift = level * LEVEL_SHIFT;
    long bucketEnd = Clock.nanos((due >> shift) + 1 << shift);
    if (timer.isPending() && timer.level == level && timer.bucketEnd == bucketEnd) {
      return;
    }
    cancel(timer);
    timer.level = level;
    timer.bucketEnd = bucketEnd;
    timer.order = armed++;
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    heap[size] = timer;
    timer.heapIndex = size;
    siftUp(size++);
  }

  private static int level(long jiffies) {
    int level = 0;
    while (level < LEVELS - 1 && jiffies >= LEVEL_SIZE - 1L << level * LEVEL_SHIFT) {
      level++;
    }
    return level;
  }

  /** Plays timer_delete: disarms {@code timer}; true when it was pending. */
  public boolean cancel(Timer timer) {
    int index = timer.heapIndex;
    if (index < 0) {
      return false;
    }
    timer.heapIndex = -1;
    Timer last = heap[--size];
    heap[size] = null;
    if (last != timer) {
      heap[index] = last;
      last.heapIndex = index;
      siftDown(index);
      siftUp(last.heapIndex);
    }
    return true;
  }

  /** When the next timer runs, or {@link Long#MAX_VALUE} when none is armed. */
  public long nextExpiry() {
    return size == 0 ? Long.MAX_VALUE : heap[0].bucketEnd;
  }

  /**
   * Runs every timer due up to and including {@code nanos}, the clock standing at the end of its
   * bucket while it runs, then moves the clock to {@code nanos}.
   */
  public void advanceTo(long nanos) {
    while (size > 0 && heap[0].bucketEnd <= nanos) {
      Timer due = heap[0];
      cancel(due);
      clock.advanceTo(due.bucketEnd);
      due.expired();
    }
    clock.advanceTo(nanos);
  }

  private static boolean before(Timer a, Timer b) {
    if (a.bucketEnd != b.bucketEnd) {
      return a.bucketEnd < b.bucketEnd;
    }
    return a.level != b.level ? a.level > b.level : a.order > b.order;
  }

  private void siftUp(int index) {
    Timer timer = heap[index];
    while (index > 0) {
      int parent = (index - 1) >>> 1;
      if (!before(timer, heap[parent])) {
        break;
      }
      heap[index] = heap[parent];
      heap[index].heapIndex = index;
      index = parent;
    }
    heap[index] = timer;
    timer.heapIndex = index;
  }

  private void siftDown(int index) {
    Timer timer = heap[index];
    for (int child = 2 * index + 1; child < size; child = 2 * index + 1) {
      if (child + 1 < size && before(heap[child + 1], heap[child])) {
        child++;
      }
      if (!before(heap[child], timer)) {
        break;
      }
      heap[index] = heap[child];
      heap[index].heapIndex = index;
      index = child;
    }
    heap[index] = timer;
    timer.heapIndex = index;
  }
}
