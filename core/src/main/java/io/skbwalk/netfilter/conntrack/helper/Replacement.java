// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/** What a NAT helper writes into a payload instead of what it found, as reusable working space. */
final class Replacement {
  /** The longest replacement that any helper makes. */
  private static final int CAPACITY = 128;

  final byte[] bytes = new byte[CAPACITY];
  int length;
  private boolean binary;

  /** Begins anew. */
  Replacement clear() {
    length = 0;
    binary = false;
    return this;
  }

  /** Appends a character of ASCII. */
  Replacement put(char character) {
    bytes[length++] = (byte) character;
    return this;
  }

  /** Appends a number of 16 bits in network order. */
  Replacement word(int number) {
    bytes[length++] = (byte) (number >>> 8);
    bytes[length++] = (byte) number;
    binary = true;
    return this;
  }

  /** Appends a number without sign as in printf's %u. */
  Replacement number(int number) {
    long rest = number & 0xFFFFFFFFL;
    int digits = 1;
    for (long power = 10; power <= rest; power *= 10) {
      digits++;
    }
    for (int at = length + digits - 1; at >= length; at--) {
      bytes[at] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    length += digits;
    return this;
  }

  /** Appends the four numbers of an address. */
  Replacement address(int address, char separator) {
    number(address >>> 24).put(separator);
    number(address >>> 16 & 0xFF).put(separator);
    number(address >>> 8 & 0xFF).put(separator);
    return number(address & 0xFF);
  }

  /** For people. */
  @Override
  public String toString() {
    return binary
        ? "0x" + HexFormat.of().formatHex(bytes, 0, length)
        : new String(bytes, 0, length, StandardCharsets.US_ASCII);
  }
}
