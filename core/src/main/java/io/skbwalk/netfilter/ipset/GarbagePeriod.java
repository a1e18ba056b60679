// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.kernel.Clock;

/** Plays IPSET_GC_PERIOD: how often a set with timeouts throws out what has run out. */
final class GarbagePeriod {
  private static final long LONGEST_SECONDS = 180;

  private GarbagePeriod() {}

  /** Ticks between two runs for a set whose elements stay so many seconds. */
  static long ticks(long timeout) {
    return Math.max(1, Math.min(timeout / 3, LONGEST_SECONDS)) * Clock.HZ;
  }
}
