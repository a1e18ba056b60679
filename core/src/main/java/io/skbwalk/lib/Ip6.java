// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** IPv6 addresses as four {@code int}s, most significant first, and their text (RFC 4291). */
public final class Ip6 {
  private Ip6() {}

  /**
   * The address written in {@code text}.
   *
   * @throws IllegalArgumentException with a message for users when it is not one
   */
  public static int[] parse(String text) {
    if (text.indexOf(':') < 0 || !text.matches("[0-9a-fA-F:.]+")) {
      throw new IllegalArgumentException("not an IPv6 address: \"" + text + "\"");
    }
    byte[] bytes;
    try {
      // A literal: nobody is asked.
      bytes = InetAddress.getByName(text).getAddress();
    } catch (UnknownHostException e) {
      throw new IllegalArgumentException("not an IPv6 address: \"" + text + "\"", e);
    }
    int[] words = new int[4];
    int start = 16 - bytes.length;
    words[2] = bytes.length == 4 ? 0xFFFF : 0;
    for (int i = 0; i < bytes.length; i++) {
      int at = start + i;
      words[at >>> 2] |= (bytes[i] & 0xFF) << 8 * (3 - (at & 3));
    }
    return words;
  }

  /**
   * Plays inet_ntop: the longest run of zeros is {@code ::}, an embedded IPv4 address is dotted.
   */
  public static String format(int[] words) {
    int[] parts = new int[8];
    for (int i = 0; i < 8; i++) {
      parts[i] = words[i >>> 1] >>> 16 * (1 - (i & 1)) & 0xFFFF;
    }
    int best = -1;
    int length = 1;
    for (int i = 0; i < 8; i++) {
      int end = i;
      while (end < 8 && parts[end] == 0) {
        end++;
      }
      if (end - i > length) {
        best = i;
        length = end - i;
      }
      i = Math.max(i, end - 1);
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 8; i++) {
      if (i == best) {
        text.append(i == 0 ? "::" : ":");
        i += length - 1;
        continue;
      }
      if (i == 6 && best == 0 && (length == 6 || length == 5 && parts[5] == 0xFFFF)) {
        return text + Ip4.format(words[3]);
      }
      text.append(Integer.toHexString(parts[i])).append(i < 7 ? ":" : "");
    }
    return text.toString();
  }

  /** Keeps the first {@code length} bits (0 to 128) of an address. */
  public static void mask(int[] words, int length) {
    for (int i = 0; i < 4; i++) {
      words[i] &= Ip4.mask(Math.max(0, Math.min(32, length - 32 * i)));
    }
  }
}
