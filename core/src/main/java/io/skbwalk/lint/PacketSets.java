// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import java.util.Arrays;

/**
 * Sets of packets as reduced ordered binary decision diagrams (Bryant 1986): a set is an {@code
 * int}, equal sets are the same number, and the empty one is {@link #NONE}.
 *
 * <p>A packet is a row of bits, number 0 first; what they mean is for {@link PacketFields} to say.
 */
final class PacketSets {
  /** No packet. */
  static final int NONE = 0;

  /** Every packet. */
  static final int ALL = 1;

  /** Rules of which nobody can think any more in bounded time and memory. */
  static final class TooComplex extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooComplex() {
      super("", null, false, false);
    }
  }

  private static final int MOST = 6_000_000;
  private static final int AND = 1;
  private static final int NOT = 2;
  private static final int FORGET = 3;
  private static final int CACHE = 1 << 18;

  private int[] bit = new int[1 << 14];
  private int[] low = new int[1 << 14];
  private int[] high = new int[1 << 14];
  private int[] next = new int[1 << 14];
  private int[] buckets = new int[1 << 14];
  private int count = 2;

  private final long[] asked = new long[CACHE];
  private final int[] askedFor = new int[CACHE];
  private final int[] answers = new int[CACHE];

  PacketSets() {
    bit[NONE] = Integer.MAX_VALUE;
    bit[ALL] = Integer.MAX_VALUE;
  }

  /** Packets whose bit is {@code one}. */
  int of(int number, boolean one) {
    return node(number, one ? NONE : ALL, one ? ALL : NONE);
  }

  /** Those that are in both. */
  int and(int a, int b) {
    if (a == b || b == ALL) {
      return a;
    }
    if (a == ALL) {
      return b;
    }
    if (a == NONE || b == NONE) {
      return NONE;
    }
    int first = Math.min(a, b);
    int second = Math.max(a, b);
    int slot = slot(AND, first, second);
    if (asked[slot] == key(first, second) && askedFor[slot] == AND) {
      return answers[slot];
    }
    int top = Math.min(bit[first], bit[second]);
    int result =
        node(
            top,
            and(without(first, top), without(second, top)),
            and(with(first, top), with(second, top)));
    return remember(slot, AND, key(first, second), result);
  }

  /** Those that are not in it. */
  int not(int a) {
    if (a <= ALL) {
      return 1 - a;
    }
    int slot = slot(NOT, a, 0);
    if (asked[slot] == key(a, 0) && askedFor[slot] == NOT) {
      return answers[slot];
    }
    return remember(slot, NOT, key(a, 0), node(bit[a], not(low[a]), not(high[a])));
  }

  /** Those that are in one of them. */
  int or(int a, int b) {
    if (a == NONE) {
      return b;
    }
    return b == NONE ? a : not(and(not(a), not(b)));
  }

  /** Those of {@code a} that are not in {@code b}. */
  int minus(int a, int b) {
    return and(a, not(b));
  }

  /** Is every packet of {@code a} in {@code b}? */
  boolean within(int a, int b) {
    return minus(a, b) == NONE;
  }

  /** The set whose packets may have any value in the bits from {@code first} to {@code last}. */
  int forget(int a, int first, int last) {
    if (a <= ALL || bit[a] > last) {
      return a;
    }
    int request = FORGET + (first << 10 | last);
    int slot = slot(request, a, 0);
    if (asked[slot] == key(a, 0) && askedFor[slot] == request) {
      return answers[slot];
    }
    int zero = forget(low[a], first, last);
    int one = forget(high[a], first, last);
    int result = bit[a] >= first ? or(zero, one) : node(bit[a], zero, one);
    return remember(slot, request, key(a, 0), result);
  }

  /** Some packet of it: 0, 1, or -1 where either will do. */
  byte[] some(int a, int bits) {
    byte[] packet = new byte[bits];
    Arrays.fill(packet, (byte) -1);
    for (int at = a; at != ALL; ) {
      boolean zero = low[at] != NONE;
      packet[bit[at]] = (byte) (zero ? 0 : 1);
      at = zero ? low[at] : high[at];
    }
    return packet;
  }

  private int without(int a, int top) {
    return bit[a] == top ? low[a] : a;
  }

  private int with(int a, int top) {
    return bit[a] == top ? high[a] : a;
  }

  // ---- nodes, each once -------------------------------------------------------------------------

  private int node(int number, int zero, int one) {
    if (zero == one) {
      return zero;
    }
    int bucket = hash(number, zero, one) & buckets.length - 1;
    for (int at = buckets[bucket]; at != 0; at = next[at]) {
      if (bit[at] == number && low[at] == zero && high[at] == one) {
        return at;
      }
    }
    if (count == MOST) {
      throw new TooComplex();
    }
    if (count == bit.length) {
      grow();
      bucket = hash(number, zero, one) & buckets.length - 1;
    }
    bit[count] = number;
    low[count] = zero;
    high[count] = one;
    next[count] = buckets[bucket];
    buckets[bucket] = count;
    return count++;
  }

  private void grow() {
    int size = 2 * count;
    bit = Arrays.copyOf(bit, size);
    low = Arrays.copyOf(low, size);
    high = Arrays.copyOf(high, size);
    next = new int[size];
    buckets = new int[size];
    for (int i = 2; i < count; i++) {
      int bucket = hash(bit[i], low[i], high[i]) & size - 1;
      next[i] = buckets[bucket];
      buckets[bucket] = i;
    }
  }

  private static int hash(int a, int b, int c) {
    int mixed = (a * 0x9E3779B1 + b) * 0x85EBCA6B + c;
    mixed *= 0xC2B2AE35;
    return mixed ^ mixed >>> 15;
  }

  private static long key(int a, int b) {
    return (long) a << 32 | b;
  }

  private static int slot(int request, int a, int b) {
    return hash(request, a, b) & CACHE - 1;
  }

  private int remember(int slot, int request, long key, int result) {
    asked[slot] = key;
    askedFor[slot] = request;
    answers[slot] = result;
    return result;
  }
}
