// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/**
 * Plays linux/jhash.h: Bob Jenkins' lookup3 of 32-bit words (hashword, May 2006, public domain).
 * Words are numbers; of what lies in network order in memory the kernel hashes the bytes as a
 * little-endian machine reads them, unless it says otherwise.
 */
public final class Jhash {
  private static final int INITIAL = 0xDEADBEEF;

  private Jhash() {}

  /** Plays jhash_1word. */
  public static int words(int a, int seed) {
    int start = INITIAL + (1 << 2) + seed;
    return last(a + start, start, start);
  }

  /** Plays jhash_3words. */
  public static int words(int a, int b, int c, int seed) {
    int start = INITIAL + (3 << 2) + seed;
    return last(a + start, b + start, c + start);
  }

  /** Plays jhash2 of four words. */
  public static int words(int a, int b, int c, int d, int seed) {
    int start = INITIAL + (4 << 2) + seed;
    a += start;
    b += start;
    c += start;
    // __jhash_mix
    a = a - c ^ Integer.rotateLeft(c, 4);
    c += b;
    b = b - a ^ Integer.rotateLeft(a, 6);
    a += c;
    c = c - b ^ Integer.rotateLeft(b, 8);
    b += a;
    a = a - c ^ Integer.rotateLeft(c, 16);
    c += b;
    b = b - a ^ Integer.rotateLeft(a, 19);
    a += c;
    c = c - b ^ Integer.rotateLeft(b, 4);
    b += a;
    return last(a + d, b, c);
  }

  /** Plays jhash2: of {@code length} words, as they lie in memory, from {@code offset}. */
  public static int hash2(int[] words, int offset, int length, int seed) {
    int a = INITIAL + (length << 2) + seed;
    int b = a;
    int c = a;
    int at = offset;
    int left = length;
    for (; left > 3; left -= 3) {
      a += words[at++];
      b += words[at++];
      c += words[at++];
      // __jhash_mix
      a = a - c ^ Integer.rotateLeft(c, 4);
      c += b;
      b = b - a ^ Integer.rotateLeft(a, 6);
      a += c;
      c = c - b ^ Integer.rotateLeft(b, 8);
      b += a;
      a = a - c ^ Integer.rotateLeft(c, 16);
      c += b;
      b = b - a ^ Integer.rotateLeft(a, 19);
      a += c;
      c = c - b ^ Integer.rotateLeft(b, 4);
      b += a;
    }
    if (left == 0) {
      return c;
    }
    return last(
        a + words[at], b + (left > 1 ? words[at + 1] : 0), c + (left > 2 ? words[at + 2] : 0));
  }

  /** Plays __jhash_final. */
  private static int last(int a, int b, int c) {
    c = (c ^ b) - Integer.rotateLeft(b, 14);
    a = (a ^ c) - Integer.rotateLeft(c, 11);
    b = (b ^ a) - Integer.rotateLeft(a, 25);
    c = (c ^ b) - Integer.rotateLeft(b, 16);
    a = (a ^ c) - Integer.rotateLeft(c, 4);
    b = (b ^ a) - Integer.rotateLeft(a, 14);
    return (c ^ b) - Integer.rotateLeft(b, 24);
  }
}
