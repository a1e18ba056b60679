// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import java.time.Instant;

/** Times as ISO 8601 in UTC with nine decimals, such as {@code 2026-01-01T00:00:00.003000000Z}. */
public final class Iso8601 {
  private static final int DAY = 86_400;
  private static final long SECOND = 1_000_000_000L;
  private static final long YEAR_2100 = 4_102_444_800L;

  private Iso8601() {}

  /** Nanoseconds since the epoch. */
  public static String text(long nanos) {
    TextBytes text = new TextBytes(30);
    append(text, nanos);
    return text.toString();
  }

  /** Appends the same. */
  public static void append(TextBytes text, long nanos) {
    long second = Math.floorDiv(nanos, SECOND);
    if (second < 0 || second >= YEAR_2100) {
      String whole = Instant.ofEpochSecond(second).toString();
      text.append(whole.substring(0, whole.length() - 1)).append('.');
    } else {
      days(text, (int) (second / DAY));
      int ofDay = (int) (second % DAY);
      text.append(ofDay / 3600, 2).append(':');
      text.append(ofDay / 60 % 60, 2).append(':');
      text.append(ofDay % 60, 2).append('.');
    }
    text.append(Math.floorMod(nanos, SECOND), 9).append('Z');
  }

  private static void days(TextBytes text, int days) {
    // Until 2100 every fourth year is a leap year; counted from 1968-03-01, they end with their
    // day.
    int since = days + 671;
    int year = (4 * since + 3) / 1461;
    int day = since - 1461 * year / 4;
    int month = (5 * day + 2) / 153;
    text.append(1968 + year + (month >= 10 ? 1 : 0), 4).append('-');
    text.append(month + (month >= 10 ? -9 : 3), 2).append('-');
    text.append(day - (153 * month + 2) / 5 + 1, 2).append('T');
  }
}
