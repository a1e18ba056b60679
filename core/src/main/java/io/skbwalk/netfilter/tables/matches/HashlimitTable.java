// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.kernel.Clock;
import io.skbwalk.kernel.Timer;
import io.skbwalk.kernel.Timers;
import io.skbwalk.lib.LinearHash;
import io.skbwalk.netfilter.tables.SharedByName;
import java.util.Arrays;

/**
 * Plays struct xt_hashlimit_htable: a bucket of credits for each group of packets. The first rule
 * that names a table says how it works; others of that name share its buckets.
 *
 * <p>Entries lie in flat arrays, numbered from 1. Linux looks for idle ones every gc-interval; here
 * the timer sleeps over the intervals in which it would find none.
 */
final class HashlimitTable extends LinearHash {
  /** The number of buckets on a machine with more than 1 GB. */
  private static final long DEFAULT_SIZE = 8192;

  /** POW2_BELOW64 of what lets a day of credits fit 64 bits. */
  private static final long CREDITS_PER_JIFFY =
      Long.highestOneBit(Long.divideUnsigned(-1, Clock.HZ * 86400L));

  private static final long CREDITS_PER_JIFFY_BYTES = Long.highestOneBit(0xFFFFFFFFL / Clock.HZ);

  /** The most credits in byte mode: those of a second. */
  private static final long MOST_BYTE_CREDITS = CREDITS_PER_JIFFY_BYTES * Clock.HZ;

  /** The tables of one machine by name. */
  static final class All extends SharedByName<HashlimitTable> {}

  private final HashlimitMatch config;
  private final Clock clock;
  private final Timers timers;
  private final long begin;
  private final long most;
  private final Timer gc =
      new Timer() {
        @Override
        protected void expired() {
          collect();
        }
      };

  private int[] source = new int[16];
  private int[] destination = new int[16];
  private int[] ports = new int[16];
  private long[] expires = new long[16];
  private long[] previous = new long[16];

  /** Credits left; with rate-match what passed in this interval. Without a sign. */
  private long[] credit = new long[16];

  /**
   * The most credits; in byte mode how often they may be refilled at once; with rate-match 1 when
   * the last interval was over the rate.
   */
  private long[] cap = new long[16];

  private int[] next = new int[16];
  private int used;
  private int free;

  /** Plays htable_create. */
  HashlimitTable(HashlimitMatch config, Clock clock, Timers timers) {
    this.config = config;
    this.clock = clock;
    this.timers = timers;
    begin = clock.jiffies();
    long size = config.size() == 0 ? DEFAULT_SIZE : config.size();
    most = config.max() == 0 ? 8 * size : Math.max(config.max(), size);
  }

  /** Is it one of rate-match? */
  boolean isRateMatch() {
    return config.isRateMatch();
  }

  /** Does the port of {@code mode}'s bits (MODE_SOURCE_PORT, MODE_DESTINATION_PORT) count? */
  boolean groupsBy(int mode) {
    return (config.mode() & mode) != 0;
  }

  /** user2credits, in 64 bits without a sign. */
  static long credits(long user) {
    return user * (Clock.HZ * CREDITS_PER_JIFFY / HashlimitMatch.SCALE);
  }

  /** user2credits_byte. */
  static long byteCredits(long user) {
    return (user & 0xFFFFFFFFL) * MOST_BYTE_CREDITS >>> 32;
  }

  // ---- packets ----------------------------------------------------------------------------------

  /**
   * The entry of a group, renewed; 0 when it would be new and the table is full.
   *
   * @param from source address; only the table's bits of it count, like those of {@code to}
   * @param ports source port times 65536 plus destination port
   */
  int entry(int from, int to, int ports) {
    int source = groupsBy(HashlimitMatch.SOURCE) ? from & config.sourceMask() : 0;
    int destination = groupsBy(HashlimitMatch.DESTINATION) ? to & config.destinationMask() : 0;
    int kept =
        (groupsBy(HashlimitMatch.SOURCE_PORT) ? ports & 0xFFFF0000 : 0)
            | (groupsBy(HashlimitMatch.DESTINATION_PORT) ? ports & 0xFFFF : 0);
    long now = clock.jiffies();
    int entry = head(bucket(mix(source, destination, kept, 0)));
    while (entry != 0
        && (this.source[entry] != source
            || this.destination[entry] != destination
            || this.ports[entry] != kept)) {
      entry = next[entry];
    }
    boolean fresh = entry == 0;
    if (fresh) {
      if (size() >= most) {
        return 0;
      }
      entry = add(source, destination, kept);
    }
    expires[entry] = now + Clock.millisToJiffies(config.expire());
    if (fresh) {
      fill(entry, now);
      if (!gc.isPending()) {
        arm(expires[entry]);
      }
    } else {
      recalculate(entry, now);
    }
    return entry;
  }

  /** Plays rateinfo_init. */
  private void fill(int entry, long now) {
    previous[entry] = now;
    if (config.isRateMatch()) {
      credit[entry] = 0;
      cap[entry] = 0;
    } else if (config.countsBytes()) {
      credit[entry] = MOST_BYTE_CREDITS;
      cap[entry] = config.burst();
    } else {
      credit[entry] = credits(config.average() * config.burst());
      cap[entry] = credit[entry];
    }
  }

  /** Plays rateinfo_recalc. */
  private void recalculate(int entry, long now) {
    long passed = now - previous[entry];
    if (passed == 0) {
      return;
    }
    if (config.isRateMatch()) {
      long interval = config.interval() * Clock.HZ;
      if (passed >= interval) {
        previous[entry] = now;
        boolean over = Long.compareUnsigned(credit[entry] * interval, passed * rate()) > 0;
        cap[entry] = over ? 1 : 0;
        credit[entry] = 0;
      }
      return;
    }
    previous[entry] = now;
    long before = credit[entry];
    long most = cap[entry];
    if (config.countsBytes()) {
      credit[entry] += CREDITS_PER_JIFFY_BYTES * passed;
      most = MOST_BYTE_CREDITS;
      if (Long.compareUnsigned(before, credit[entry]) >= 0) {
        credit[entry] = most;
      }
    } else {
      credit[entry] += CREDITS_PER_JIFFY * passed;
    }
    if (Long.compareUnsigned(credit[entry], most) > 0) {
      credit[entry] = most;
    }
  }

  /**
   * Plays the end of hashlimit_mt_common: takes a packet's cost.
   *
   * @param bytes does the rule that asks count bytes?
   * @return is the group below the rate?
   */
  boolean take(int entry, int length, boolean bytes) {
    if (config.isRateMatch()) {
      credit[entry] += bytes ? length : 1;
      return cap[entry] == 0 && Long.compareUnsigned(credit[entry], rateBurst()) <= 0;
    }
    long cost = cost();
    if (bytes) {
      cost *= (length >>> HashlimitMatch.BYTE_SHIFT) + 1;
      if (Long.compareUnsigned(cost, MOST_BYTE_CREDITS) > 0) {
        cost = MOST_BYTE_CREDITS;
      }
      if (Long.compareUnsigned(credit[entry], cost) < 0 && cap[entry] != 0) {
        cap[entry]--;
        credit[entry] = MOST_BYTE_CREDITS;
      }
    }
    if (Long.compareUnsigned(credit[entry], cost) < 0) {
      return false;
    }
    credit[entry] -= cost;
    return true;
  }

  private long cost() {
    return config.countsBytes() ? byteCredits(config.average()) : credits(config.average());
  }

  /** Packets or bytes a second (user2rate, user2rate_bytes). */
  private long rate() {
    return config.countsBytes()
        ? HashlimitMatch.bytesOf(config.average())
        : HashlimitMatch.SCALE / config.average();
  }

  private long rateBurst() {
    if (config.countsBytes()) {
      return config.burst() == 0 ? rate() : config.burst() * rate();
    }
    return config.burst() + rate();
  }

  // ---- life of an entry -------------------------------------------------------------------------

  private int add(int source, int destination, int ports) {
    int entry = free;
    if (entry != 0) {
      free = next[entry];
    } else {
      entry = ++used;
      if (entry == next.length) {
        grow();
      }
    }
    this.source[entry] = source;
    this.destination[entry] = destination;
    this.ports[entry] = ports;
    insert(entry, hash(entry));
    return entry;
  }

  private void grow() {
    int size = next.length * 2;
    source = Arrays.copyOf(source, size);
    destination = Arrays.copyOf(destination, size);
    ports = Arrays.copyOf(ports, size);
    expires = Arrays.copyOf(expires, size);
    previous = Arrays.copyOf(previous, size);
    credit = Arrays.copyOf(credit, size);
    cap = Arrays.copyOf(cap, size);
    next = Arrays.copyOf(next, size);
  }

  /** Sets the timer to the first look of the worker at which something may be idle. */
  private void arm(long earliest) {
    long interval = Math.max(1, Clock.millisToJiffies(config.gcInterval()));
    long looks = Math.max(1, (earliest - begin + interval - 1) / interval);
    timers.modify(gc, Clock.nanos(begin + looks * interval));
  }

  /** Plays htable_gc: takes idle entries out. */
  private void collect() {
    long now = clock.jiffies();
    long earliest = Long.MAX_VALUE;
    for (int entry = 1; entry <= used; entry++) {
      if (expires[entry] == Long.MAX_VALUE) {
        continue;
      }
      if (now >= expires[entry]) {
        remove(entry, hash(entry));
        expires[entry] = Long.MAX_VALUE;
        next[entry] = free;
        free = entry;
      } else {
        earliest = Math.min(earliest, expires[entry]);
      }
    }
    if (earliest != Long.MAX_VALUE) {
      arm(earliest);
    }
  }

  /** Plays htable_put of the last rule. */
  void destroy() {
    timers.cancel(gc);
  }

  @Override
  protected int next(int entry) {
    return next[entry];
  }

  @Override
  protected void setNext(int entry, int following) {
    next[entry] = following;
  }

  @Override
  protected int hash(int entry) {
    return mix(source[entry], destination[entry], ports[entry], 0);
  }
}
