// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The rules that each value of a narrow key leaves, as bitmaps. Values that leave the same rules
 * are one class.
 */
final class ClassFilter {
  final PacketKey key;

  /** By value. */
  private final long[][] rules;

  /**
   * Builds it.
   *
   * @param asked the rules that have each condition on {@code key}
   */
  ClassFilter(PacketKey key, Map<Condition, List<Integer>> asked, int size) {
    this.key = key;
    rules = new long[key.highest() + 1][];
    Map<BitSet, long[]> classes = new HashMap<>();
    for (int value = 0; value < rules.length; value++) {
      BitSet refusing = new BitSet();
      int number = 0;
      for (Condition condition : asked.keySet()) {
        refusing.set(number++, !condition.accepts(value));
      }
      rules[value] = classes.computeIfAbsent(refusing, made -> without(made, asked.values(), size));
    }
  }

  /** A bitmap of {@code size} rules, in which those of the refusing conditions are missing. */
  static long[] without(BitSet refusing, Collection<List<Integer>> rulesOf, int size) {
    long[] left = new long[size + 63 >>> 6];
    Arrays.fill(left, -1L);
    int number = 0;
    for (List<Integer> rules : rulesOf) {
      if (refusing.get(number++)) {
        for (int rule : rules) {
          left[rule >>> 6] &= ~(1L << rule);
        }
      }
    }
    return left;
  }

  /** The rules left, a bitmap. */
  long[] of(int value) {
    return rules[value];
  }
}
