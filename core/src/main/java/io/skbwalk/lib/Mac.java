// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/** Ethernet addresses as the low 48 bits of a {@code long}, and their text. */
public final class Mac {
  /** ff:ff:ff:ff:ff:ff. */
  public static final long BROADCAST = 0xFFFF_FFFF_FFFFL;

  private Mac() {}

  /**
   * The address written in {@code text} as six hexadecimal bytes with colons.
   *
   * @throws IllegalArgumentException with a message for users when it is not one
   */
  public static long parse(String text) {
    String[] parts = text.split(":", -1);
    long value = 0;
    try {
      for (String part : parts) {
        if (part.isEmpty() || part.length() > 2) {
          throw new NumberFormatException();
        }
        value = value << 8 | Integer.parseInt(part, 16);
      }
    } catch (NumberFormatException e) {
      value = -1;
    }
    if (parts.length != 6 || value < 0) {
      throw new IllegalArgumentException(
          "not an Ethernet address: \"" + text + "\" (six hexadecimal bytes with colons)");
    }
    return value;
  }

  /** {@code address} as six hexadecimal bytes with colons. */
  public static String format(long address) {
    StringBuilder text = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      int octet = (int) (address >>> shift) & 0xFF;
      text.append(Character.forDigit(octet >>> 4, 16)).append(Character.forDigit(octet & 15, 16));
      if (shift > 0) {
        text.append(':');
      }
    }
    return text.toString();
  }

  /** True for multicast and broadcast: the group bit of the first byte is set. */
  public static boolean isGroup(long address) {
    return (address >>> 40 & 1) != 0;
  }
}
