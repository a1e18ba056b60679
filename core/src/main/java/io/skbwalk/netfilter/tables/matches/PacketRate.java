// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Options;
import java.util.List;
import java.util.Locale;

/**
 * Plays parse_rate and print_rate of limit and hashlimit: {@code NUMBER[/UNIT]}.
 *
 * @param number packets, without a sign, not 0
 * @param seconds in so many seconds
 */
record PacketRate(long number, int seconds) {
  private static final List<String> UNITS = List.of("second", "minute", "hour", "day");
  private static final String[] PRINTED = {"sec", "min", "hour", "day"};
  private static final int[] SECONDS = {1, 60, 3600, 86400};

  /**
   * Reads the value of {@code option}. As in iptables, what stands between the number and the slash
   * does not count ({@code 5.5/sec} is 5 in a second), and a unit may be cut short.
   */
  static PacketRate parse(Options options, String option) {
    String text = options.text(option);
    int slash = text.indexOf('/');
    String unit = slash < 0 ? "s" : text.substring(slash + 1).toLowerCase(Locale.ROOT);
    int index = 0;
    while (index < UNITS.size() && !UNITS.get(index).startsWith(unit)) {
      index++;
    }
    long number = leadingNumber(text);
    if (unit.isEmpty() || index == UNITS.size() || number == 0) {
      throw options.error(
          option,
          "--" + option + " takes NUMBER/second, /minute, /hour or /day, not \"" + text + "\"");
    }
    return new PacketRate(number, SECONDS[index]);
  }

  /** As atoll reads the number that {@code text} begins with; 0 when it begins with none. */
  static long leadingNumber(String text) {
    String rest = text.stripLeading();
    int end = rest.startsWith("-") || rest.startsWith("+") ? 1 : 0;
    int begin = end;
    while (end < rest.length() && rest.charAt(end) >= '0' && rest.charAt(end) <= '9') {
      end++;
    }
    if (end == begin) {
      return 0;
    }
    try {
      return Long.parseLong(rest.substring(0, end));
    } catch (NumberFormatException e) {
      return rest.startsWith("-") ? Long.MIN_VALUE : Long.MAX_VALUE;
    }
  }

  /**
   * Appends the rate of one packet in {@code period} parts, of which a second has {@code scale}.
   */
  static void save(StringBuilder out, long period, long scale) {
    int unit = unit(period, scale);
    out.append(' ').append(scale * SECONDS[unit] / period).append('/').append(PRINTED[unit]);
  }

  /** The seconds of the unit that {@link #save} prints. */
  static int printedSeconds(long period, long scale) {
    return SECONDS[unit(period, scale)];
  }

  private static int unit(long period, long scale) {
    int unit = 3;
    while (unit > 0) {
      long finer = scale * SECONDS[unit - 1];
      if (period > finer || finer / period < finer % period) {
        break;
      }
      unit--;
    }
    return unit;
  }
}
