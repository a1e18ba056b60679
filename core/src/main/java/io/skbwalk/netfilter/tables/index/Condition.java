// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import io.skbwalk.lib.Ip4;
import java.util.Arrays;

/**
 * One thing that a rule asks for: a key of the packet, under a mask, is in one of some ranges; or,
 * inverted, in none. Numbers have no sign.
 *
 * @param key what is asked for
 * @param other a second key of which the same would do; else null
 * @param mask which bits of the key count
 * @param ranges low and high end of each, one behind the other
 */
record Condition(PacketKey key, PacketKey other, int mask, int[] ranges, boolean inverted) {
  /** A key from {@code low} to {@code high}. */
  static Condition range(PacketKey key, int low, int high, boolean inverted) {
    return new Condition(key, null, key.highest(), new int[] {low, high}, inverted);
  }

  /** A key that is {@code value} under {@code mask}. */
  static Condition masked(PacketKey key, int value, int mask, boolean inverted) {
    int bits = mask & key.highest();
    if ((value & ~bits) != 0) {
      return new Condition(key, null, key.highest(), new int[0], inverted);
    }
    boolean prefix = bits << 32 - key.bits == Ip4.mask(Integer.bitCount(bits));
    return prefix
        ? range(key, value, value | ~bits & key.highest(), inverted)
        : new Condition(key, null, bits, new int[] {value, value}, inverted);
  }

  /** Does it ask nothing? */
  boolean isAlwaysTrue() {
    return !inverted
        && mask == key.highest()
        && ranges.length == 2
        && ranges[0] == 0
        && ranges[1] == key.highest();
  }

  /** Must the whole key be from {@link #lowest} to {@link #highest}, or, inverted, not be? */
  boolean isWithinRange() {
    return other == null
        && mask == key.highest()
        && (inverted ? ranges.length == 2 : ranges.length > 0)
        && Integer.compareUnsigned(lowest(), highest()) <= 0;
  }

  /** The lowest value of all ranges. */
  int lowest() {
    int lowest = ranges[0];
    for (int i = 2; i < ranges.length; i += 2) {
      lowest = Integer.compareUnsigned(ranges[i], lowest) < 0 ? ranges[i] : lowest;
    }
    return lowest;
  }

  /** The highest value of all ranges. */
  int highest() {
    int highest = ranges[1];
    for (int i = 3; i < ranges.length; i += 2) {
      highest = Integer.compareUnsigned(ranges[i], highest) > 0 ? ranges[i] : highest;
    }
    return highest;
  }

  boolean accepts(int value) {
    int masked = value & mask;
    for (int i = 0; i < ranges.length; i += 2) {
      if (Integer.compareUnsigned(masked, ranges[i]) >= 0
          && Integer.compareUnsigned(masked, ranges[i + 1]) <= 0) {
        return !inverted;
      }
    }
    return inverted;
  }

  /** What part of all values it takes, inversion aside. */
  double part() {
    double values = 0;
    for (int i = 0; i < ranges.length; i += 2) {
      long width = Integer.toUnsignedLong(ranges[i + 1]) - Integer.toUnsignedLong(ranges[i]) + 1;
      values += Math.max(width, 0);
    }
    return values / (1L << Integer.bitCount(mask));
  }

  @Override
  public boolean equals(Object object) {
    return object instanceof Condition asked
        && key == asked.key
        && other == asked.other
        && mask == asked.mask
        && inverted == asked.inverted
        && Arrays.equals(ranges, asked.ranges);
  }

  @Override
  public int hashCode() {
    return (Arrays.hashCode(ranges) * 31 + mask) * 31 + key.ordinal() * 2 + (inverted ? 1 : 0);
  }
}
