// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import java.util.Arrays;

/** Plays lib/textsearch.c: a pattern made ready to be looked for. */
abstract class TextSearch {
  /** No occurrence. */
  static final int NOWHERE = -1;

  /** The pattern, in capitals when case does not matter. */
  final byte[] pattern;

  private final boolean ignoreCase;

  private TextSearch(byte[] pattern, boolean ignoreCase) {
    this.ignoreCase = ignoreCase;
    this.pattern = new byte[pattern.length];
    for (int i = 0; i < pattern.length; i++) {
      this.pattern[i] = (byte) folded(pattern[i]);
    }
  }

  /** Where in {@code text} the pattern begins first, from {@code from} on; or {@link #NOWHERE}. */
  abstract int find(byte[] text, int from, int to);

  /** The byte as it is compared, 0 to 255. */
  final int folded(byte raw) {
    int c = raw & 0xFF;
    return ignoreCase && isLower(c) ? c - 0x20 : c;
  }

  /**
   * As the kernel's character table has it: Latin-1, where the sharp s counts as a small letter.
   */
  private static boolean isLower(int c) {
    return c >= 'a' && c <= 'z' || c >= 0xDF && c != 0xF7;
  }

  private static boolean isUpper(int c) {
    return c >= 'A' && c <= 'Z' || c >= 0xC0 && c <= 0xDE && c != 0xD7;
  }

  /** Plays lib/ts_kmp.c (Knuth, Morris, Pratt): never looks at a byte of the text twice. */
  static final class Kmp extends TextSearch {
    /** By matched length less one: how much of the pattern's begin still stands after a miss. */
    private final int[] border;

    Kmp(byte[] pattern, boolean ignoreCase) {
      super(pattern, ignoreCase);
      border = new int[pattern.length];
      for (int i = 1, k = 0; i < pattern.length; i++) {
        k = step(k, this.pattern[i] & 0xFF);
        border[i] = k;
      }
    }

    private int step(int matched, int c) {
      while (matched > 0 && (pattern[matched] & 0xFF) != c) {
        matched = border[matched - 1];
      }
      return (pattern[matched] & 0xFF) == c ? matched + 1 : matched;
    }

    @Override
    int find(byte[] text, int from, int to) {
      int matched = 0;
      for (int at = from; at < to; at++) {
        matched = step(matched, folded(text[at]));
        if (matched == pattern.length) {
          return at + 1 - pattern.length;
        }
      }
      return NOWHERE;
    }
  }

  /** Plays lib/ts_bm.c (Boyer, Moore): compares from the pattern's end and jumps. */
  static final class BoyerMoore extends TextSearch {
    /** By byte of the text: how far from the pattern's end it stands last in the pattern. */
    private final int[] badShift = new int[256];

    /** By how many bytes have matched at the end: how far to where they stand again. */
    private final int[] goodShift;

    BoyerMoore(byte[] pattern, boolean ignoreCase) {
      super(pattern, ignoreCase);
      int length = pattern.length;
      Arrays.fill(badShift, length);
      for (int i = 0; i < length - 1; i++) {
        int c = this.pattern[i] & 0xFF;
        badShift[c] = length - 1 - i;
        if (ignoreCase) {
          // Of a byte that becomes a capital it did not come from the kernel forgets the small one.
          badShift[isUpper(c) ? c + 0x20 : c] = length - 1 - i;
        }
      }
      goodShift = new int[length];
      goodShift[0] = 1;
      for (int matched = 1; matched < length; matched++) {
        int shift = 1;
        while (shift < length && !standsAgain(matched, shift)) {
          shift++;
        }
        goodShift[matched] = shift;
      }
    }

    /** Do the last {@code matched} bytes, with another byte before, stand {@code shift} before? */
    private boolean standsAgain(int matched, int shift) {
      int length = pattern.length;
      for (int i = length - 1; i >= length - matched && i - shift >= 0; i--) {
        if (pattern[i] != pattern[i - shift]) {
          return false;
        }
      }
      int before = length - matched - 1;
      return before - shift < 0 || pattern[before] != pattern[before - shift];
    }

    @Override
    int find(byte[] text, int from, int to) {
      int last = pattern.length - 1;
      for (int at = from + last; at < to; ) {
        int matched = 0;
        while (matched <= last && folded(text[at - matched]) == (pattern[last - matched] & 0xFF)) {
          matched++;
        }
        if (matched > last) {
          return at - last;
        }
        at = Math.max(at - matched + badShift[text[at - matched] & 0xFF], at + goodShift[matched]);
      }
      return NOWHERE;
    }
  }
}
