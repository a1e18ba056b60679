// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Plays strtod and the suffixes of iproute's numbers: {@code 2.5mbit}, {@code 250ms}.
 *
 * @param number what stands before the unit
 * @param unit in lower case; empty when there is none
 */
public record Quantity(double number, String unit) {
  private static final Pattern PARTS =
      Pattern.compile(
          "\\s*([+-]?(?:[0-9]+\\.?[0-9]*|\\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)([a-zA-Z]*)");

  /** Reads a whole word; null when it is none. */
  public static Quantity parse(String text) {
    Matcher matcher = PARTS.matcher(text);
    return matcher.matches()
        ? new Quantity(
            Double.parseDouble(matcher.group(1)), matcher.group(2).toLowerCase(Locale.ROOT))
        : null;
  }
}
