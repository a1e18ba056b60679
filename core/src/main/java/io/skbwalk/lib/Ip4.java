// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/**
 * IPv4 addresses as {@code int} (192.0.2.1 is 0xC0000201, so host byte order reads as written), and
 * their text.
 */
public final class Ip4 {
  private Ip4() {}

  /**
   * The address written in {@code text}, four decimal numbers from 0 to 255.
   *
   * @throws IllegalArgumentException with a message for users when it is not one
   */
  public static int parse(String text) {
    int value = 0;
    int at = 0;
    for (int part = 0; part < 4; part++) {
      int start = at;
      int number = 0;
      while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
        number = number * 10 + text.charAt(at++) - '0';
        if (number > 255) {
          break;
        }
      }
      if (at == start
          || number > 255
          || part < 3 && (at >= text.length() || text.charAt(at++) != '.')) {
        throw new IllegalArgumentException("not an IPv4 address: \"" + text + "\"");
      }
      value = value << 8 | number;
    }
    if (at != text.length()) {
      throw new IllegalArgumentException("not an IPv4 address: \"" + text + "\"");
    }
    return value;
  }

  /** {@code address} in dotted decimals. */
  public static String format(int address) {
    return (address >>> 24)
        + "."
        + (address >>> 16 & 0xFF)
        + "."
        + (address >>> 8 & 0xFF)
        + "."
        + (address & 0xFF);
  }

  /** The mask of a prefix of {@code length} bits, 0 to 32. */
  public static int mask(int length) {
    return length == 0 ? 0 : -1 << 32 - length;
  }

  /** 224.0.0.0/4. */
  public static boolean isMulticast(int address) {
    return (address & 0xF0000000) == 0xE0000000;
  }

  /** 127.0.0.0/8. */
  public static boolean isLoopback(int address) {
    return address >>> 24 == 127;
  }

  /**
   * Plays ipv4_is_zeronet: 0.0.0.0 alone; the rest of 0.0.0.0/8 is ordinary unicast since Linux
   * 5.3.
   */
  public static boolean isZeroNet(int address) {
    return address == 0;
  }
}
