// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

/**
 * Plays the kernel's timekeeping (ktime_get_real, jiffies) on virtual time: it only moves when a
 * frame or a timer moves it.
 *
 * <p>Time is nanoseconds since 1970-01-01T00:00:00Z and never runs backwards: a frame whose
 * timestamp lies before the current time is handled at the current time.
 */
public final class Clock {
  /** Ticks per second, as Debian and this project's reference kernel configure it. */
  public static final int HZ = 250;

  /** Nanoseconds in one second. */
  public static final long SECOND = 1_000_000_000L;

  private static final long NANOS_PER_JIFFY = SECOND / HZ;

  private long now;

  /** Starts the clock at {@code startNanos}, nanoseconds since the epoch. */
  public Clock(long startNanos) {
    this.now = startNanos;
  }

  /** The current virtual time, nanoseconds since the epoch. */
  public long now() {
    return now;
  }

  /** The current virtual time in whole ticks of {@link #HZ}. */
  public long jiffies() {
    return jiffies(now);
  }

  /** The tick in which {@code nanos} lies, a time since the epoch. */
  static long jiffies(long nanos) {
    return nanos / NANOS_PER_JIFFY;
  }

  /** The current virtual time in whole seconds since the epoch. */
  public long seconds() {
    return Math.floorDiv(now, SECOND);
  }

  /** The beginning of tick {@code jiffies}, nanoseconds since the epoch. */
  public static long nanos(long jiffies) {
    return jiffies * NANOS_PER_JIFFY;
  }

  /** Plays msecs_to_jiffies: whole ticks, rounded up. */
  public static long millisToJiffies(long millis) {
    return (millis * HZ + 999) / 1000;
  }

  /** Moves the clock forward to {@code nanos}; an earlier time leaves it where it is. */
  public void advanceTo(long nanos) {
    if (nanos > now) {
      now = nanos;
    }
  }
}
