// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Options;

/**
 * A range of security parameter indexes, perhaps inverted, as the ah, esp and ipcomp matches have
 * one.
 *
 * @param low first index, 0 to 2^32-1
 * @param high last index
 */
public record SpiRange(long low, long high, boolean inverted) {
  private static final long MOST = 0xFFFFFFFFL;

  /** All of them. */
  static final SpiRange ANY = new SpiRange(0, MOST, false);

  /** The value of {@code option}, {@code otherwise} without it. */
  static SpiRange parse(Options options, String option, SpiRange otherwise) {
    if (!options.has(option)) {
      return otherwise;
    }
    long range = options.range(option, MOST);
    return new SpiRange(range >>> 32, range & MOST, options.inverted(option));
  }

  boolean matches(long spi) {
    return (spi >= low && spi <= high) != inverted;
  }

  /** Appends the option; the whole range is left away. */
  void save(StringBuilder out, String option) {
    // iptables-save forgets an inverted whole range, which nothing matches.
    if (low == 0 && high == MOST) {
      return;
    }
    out.append(inverted ? " ! " : " ").append(option).append(' ').append(low);
    if (low != high) {
      out.append(':').append(high);
    }
  }
}
