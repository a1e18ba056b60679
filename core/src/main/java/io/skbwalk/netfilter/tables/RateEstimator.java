// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.kernel.Clock;
import io.skbwalk.kernel.Timer;
import io.skbwalk.kernel.Timers;

/**
 * Plays struct xt_rateest with its net_rate_estimator (gen_estimator.c): the rate of what RATEEST
 * counts, as an average in which older intervals weigh less and less.
 *
 * <p>The kernel's timer runs every interval; this one sleeps while nothing is counted and nothing
 * is left to fade, and wakes at the interval in which a packet comes.
 */
public final class RateEstimator extends Timer {
  /** The estimators of one machine by name. */
  public static final class All extends SharedByName<RateEstimator> {}

  /** Averages are kept times 2^8. */
  private static final int FRACTION = 8;

  /** 2^10 quarters of a second, by which counts of an interval become averages. */
  private static final int SCALE = 10;

  private final int intervalLog;
  private final int ewmaLog;
  private final Timers timers;
  private final Clock clock;
  private final long begin;
  private long bytes;
  private long packets;
  private long lastBytes;
  private long lastPackets;
  private long averageBytes;
  private long averagePackets;

  /**
   * Plays gen_new_estimator.
   *
   * @param intervalLog intervals are 250 ms times 2 to this, 0 to 5
   * @param ewmaLog the last interval weighs 1 in 2 to this, 1 to 30
   */
  public RateEstimator(int intervalLog, int ewmaLog, Clock clock, Timers timers) {
    this.intervalLog = intervalLog;
    this.ewmaLog = ewmaLog;
    this.clock = clock;
    this.timers = timers;
    this.begin = clock.jiffies();
  }

  /** Was it made with these parameters? */
  public boolean isLike(int itsIntervalLog, int itsEwmaLog) {
    return intervalLog == itsIntervalLog && ewmaLog == itsEwmaLog;
  }

  /** Plays xt_rateest_tg: counts a packet. */
  public void count(int length) {
    bytes += length;
    packets++;
    if (!isPending()) {
      wake();
    }
  }

  /** Bytes a second. */
  public long bytesPerSecond() {
    return averageBytes >>> FRACTION;
  }

  /** Packets a second. */
  public long packetsPerSecond() {
    return averagePackets >>> FRACTION;
  }

  /** Plays est_timer. */
  @Override
  protected void expired() {
    long newBytes = fade(bytes - lastBytes, averageBytes);
    long newPackets = fade(packets - lastPackets, averagePackets);
    boolean still = packets == lastPackets && newBytes == 0 && newPackets == 0;
    averageBytes += newBytes;
    averagePackets += newPackets;
    lastBytes = bytes;
    lastPackets = packets;
    if (!still) {
      wake();
    }
  }

  private long fade(long counted, long average) {
    return (counted << SCALE - intervalLog >>> ewmaLog) - (average >>> ewmaLog);
  }

  private void wake() {
    long interval = (long) Clock.HZ / 4 << intervalLog;
    long passed = (clock.jiffies() - begin) / interval;
    timers.modify(this, Clock.nanos(begin + (passed + 1) * interval));
  }

  /** Plays gen_kill_estimator. */
  public void destroy() {
    timers.cancel(this);
  }
}
