// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.Ip4;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Plays xtables_strtoul, xtables_numeric_to_ipaddr and inet_aton: how iptables and the C library
 * read numbers and addresses. All answer null for what they do not take.
 */
final class Numbers {
  private static final Pattern SIGN = Pattern.compile("^[+-]");
  private static final Pattern DECIMAL =
      Pattern.compile(
          "([0-9]+\\.?[0-9]*|\\.[0-9]+)(e[+-]?[0-9]+)?"
              + "|0x([0-9a-f]+\\.?[0-9a-f]*|\\.[0-9a-f]+)p[+-]?[0-9]+");
  private static final Pattern HEXADECIMAL =
      Pattern.compile("0x[0-9a-f]+\\.?[0-9a-f]*|0x\\.[0-9a-f]+");

  private Numbers() {}

  /**
   * As strtoul with base 0 reads a whole word: decimal, 0x hexadecimal or 0 octal, blanks and a +
   * before it. 64 bits, without a sign.
   */
  static Long unsigned(String text) {
    String digits = text.stripLeading();
    digits = digits.startsWith("+") ? digits.substring(1) : digits;
    int base = 10;
    if (digits.startsWith("0x") || digits.startsWith("0X")) {
      digits = digits.substring(2);
      base = 16;
    } else if (digits.length() > 1 && digits.startsWith("0")) {
      digits = digits.substring(1);
      base = 8;
    }
    return digits(digits, base);
  }

  /** Digits and nothing else. */
  private static Long digits(String digits, int base) {
    // parseUnsignedLong would take a sign.
    if (digits.isEmpty() || Character.digit(digits.charAt(0), base) < 0) {
      return null;
    }
    try {
      return Long.parseUnsignedLong(digits, base);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** As {@link #unsigned}, up to {@code max}, which is positive. */
  static Long unsigned(String text, long max) {
    Long value = unsigned(text);
    return value == null || value < 0 || value > max ? null : value;
  }

  /**
   * An address as {@code -s} takes it: up to four bytes with dots, each in any base, missing last
   * ones 0 ({@code 10.1} is 10.1.0.0); else what {@link #host} takes.
   */
  static Integer network(String text) {
    Integer bytes = bytes(text, 1);
    return bytes == null ? host(text) : bytes;
  }

  /** An address as inet_pton takes it: four decimal numbers without zeros before them. */
  static Integer dotted(String text) {
    for (String part : text.split("\\.", -1)) {
      if (part.length() > 1 && part.startsWith("0")) {
        return null;
      }
    }
    try {
      return Ip4.parse(text);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /** A mask in dotted bytes, all four, each in any base. */
  static Integer mask(String text) {
    return bytes(text, 4);
  }

  private static Integer bytes(String text, int least) {
    String[] parts = text.split("\\.", -1);
    if (parts.length < least || parts.length > 4) {
      return null;
    }
    int value = 0;
    for (int i = 0; i < 4; i++) {
      Long part = i < parts.length ? unsigned(parts[i], 255) : Long.valueOf(0);
      if (part == null) {
        return null;
      }
      value = value << 8 | part.intValue();
    }
    return value;
  }

  /**
   * An address as inet_aton takes it: one to four numbers in any base, of which the last fills what
   * the others leave ({@code 10.1} is 10.0.0.1).
   */
  static Integer host(String text) {
    String[] parts = text.split("\\.", -1);
    if (parts.length > 4 || text.isEmpty() || !Character.isDigit(text.charAt(0))) {
      return null;
    }
    int value = 0;
    for (int i = 0; i < parts.length - 1; i++) {
      Long part = parts[i].startsWith("+") ? null : unsigned(parts[i], 255);
      if (part == null) {
        return null;
      }
      value |= part.intValue() << 24 - 8 * i;
    }
    String last = parts[parts.length - 1];
    long most = 0xFFFFFFFFL >>> 8 * (parts.length - 1);
    Long rest = last.startsWith("+") ? null : unsigned(last, most);
    return rest == null ? null : value | rest.intValue();
  }

  /**
   * A prefix length or a mask, as the option parser takes them for a host and its network; a mask
   * that is no prefix counts as 32 bits there.
   */
  static Integer prefixLength(String text) {
    Long length = unsigned(text, 32);
    if (length != null) {
      return length.intValue();
    }
    Integer mask = host(text);
    if (mask == null) {
      return null;
    }
    int ones = Integer.bitCount(mask);
    return Ip4.mask(ones) == mask ? ones : 32;
  }

  /** As strtoul with base 10 reads a whole port number; what is over 65535 wraps around. */
  static Integer wrappedPort(String text) {
    String digits = text.stripLeading();
    Long value = digits(digits.startsWith("+") ? digits.substring(1) : digits, 10);
    return value == null ? null : (int) (value & 0xFFFF);
  }

  /**
   * As sscanf reads {@code %llu}: what follows the digits does not count, a sign is taken, too many
   * digits are the largest number.
   */
  static Long scanned(String text) {
    String word = text.stripLeading();
    boolean negative = word.startsWith("-");
    int at = negative || word.startsWith("+") ? 1 : 0;
    int end = at;
    while (end < word.length() && word.charAt(end) >= '0' && word.charAt(end) <= '9') {
      end++;
    }
    if (end == at) {
      return null;
    }
    Long value = digits(word.substring(at, end), 10);
    return value == null ? Long.valueOf(-1) : Long.valueOf(negative ? -value : value);
  }

  /** As strtod reads a whole word: decimal or hexadecimal, with an exponent, or nan. */
  static Double decimal(String text) {
    String word = text.strip().equals(text.stripLeading()) ? text.strip() : "x";
    String plain = SIGN.matcher(word).replaceFirst("").toLowerCase(Locale.ROOT);
    if (plain.equals("nan")) {
      return Double.NaN;
    }
    if (HEXADECIMAL.matcher(plain).matches()) {
      word += "p0";
    } else if (!DECIMAL.matcher(plain).matches()) {
      return null;
    }
    return Double.valueOf(word);
  }
}
