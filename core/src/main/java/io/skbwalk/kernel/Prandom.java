// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.kernel;

/**
 * Plays get_random_u32 and its kin with a seed, so that two runs draw the same numbers (SplitMix64,
 * Steele, Lea and Flood 2014).
 */
public final class Prandom {
  private long state;

  /** A generator that always draws the same sequence for the same {@code seed}. */
  public Prandom(long seed) {
    this.state = seed;
  }

  /** 64 random bits. */
  public long nextLong() {
    state += 0x9E3779B97F4A7C15L;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** 32 random bits. */
  public int nextInt() {
    return (int) (nextLong() >>> 32);
  }

  /** A number from 0 up to but not including {@code bound}, which must be positive. */
  public int below(int bound) {
    return (int) ((Integer.toUnsignedLong(nextInt()) * bound) >>> 32);
  }
}
