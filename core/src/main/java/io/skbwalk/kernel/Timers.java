// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

import java.util.Arrays;

/**
 * Plays kernel/time/timer.c for the few timers of a host (reassembly queues, neighbour probes): a
 * binary heap ordered by expiry, then by the order in which they were armed, so that every run
 * fires them alike. The connection table, which has millions, keeps its own.
 */
public final class Timers {
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
    cancel(timer);
    timer.expires = expires;
    timer.order = armed++;
    if (size == heap.length) {
      heap = Arrays.copyOf(heap, size * 2);
    }
    heap[size] = timer;
    timer.heapIndex = size;
    siftUp(size++);
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

  /** The expiry of the next timer, or {@link Long#MAX_VALUE} when none is armed. */
  public long nextExpiry() {
    return size == 0 ? Long.MAX_VALUE : heap[0].expires;
  }

  /**
   * Runs every timer due up to and including {@code nanos}, the clock standing at each timer's own
   * expiry while it runs, then moves the clock to {@code nanos}.
   */
  public void advanceTo(long nanos) {
    while (size > 0 && heap[0].expires <= nanos) {
      Timer due = heap[0];
      cancel(due);
      clock.advanceTo(due.expires);
      due.expired();
    }
    clock.advanceTo(nanos);
  }

  private static boolean before(Timer a, Timer b) {
    return a.expires != b.expires ? a.expires < b.expires : a.order < b.order;
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
