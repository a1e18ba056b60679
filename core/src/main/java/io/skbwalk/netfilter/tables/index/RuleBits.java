// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

/** A set of rules, as a bitmap whose words without a bit are left out. */
final class RuleBits {
  /** Which word each of {@link #words} is, rising. */
  final int[] at;

  /** Rule n is bit n % 64 of word n / 64. */
  final long[] words;

  /** Of the rules from {@code from} to before {@code to} in {@code rules}, which rise. */
  RuleBits(int[] rules, int from, int to) {
    int count = 0;
    for (int i = from; i < to; i++) {
      count += i == from || rules[i] >>> 6 != rules[i - 1] >>> 6 ? 1 : 0;
    }
    at = new int[count];
    words = new long[count];
    int word = -1;
    for (int i = from; i < to; i++) {
      if (word < 0 || at[word] != rules[i] >>> 6) {
        at[++word] = rules[i] >>> 6;
      }
      words[word] |= 1L << rules[i];
    }
  }

  /** Adds them to a bitmap of all rules. */
  void addTo(long[] bitmap) {
    for (int i = 0; i < at.length; i++) {
      bitmap[at[i]] |= words[i];
    }
  }
}
