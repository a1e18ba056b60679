// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

/**
 * Plays struct timer_list: something to run once at a virtual time. Reusable; owned by whoever
 * subclasses it and armed with {@link Timers#modify}.
 */
public abstract class Timer {
  long expires;
  long bucketEnd;
  int level;
  long order;
  int heapIndex = -1;

  /** True while the timer is armed and has not run. */
  public final boolean isPending() {
    return heapIndex >= 0;
  }

  /**
   * The time for which it was armed, nanoseconds since the epoch; meaningful while pending. It runs
   * a little later ({@link Timers}).
   */
  public final long expires() {
    return expires;
  }

  /** Runs once its time has come; it may arm itself and other timers again. */
  protected abstract void expired();
}
