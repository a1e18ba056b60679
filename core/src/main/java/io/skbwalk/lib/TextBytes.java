// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Text as UTF-8 bytes, one piece behind the other: what is written of every packet, and used again
 * for the next. Only {@link #append(String)} allocates, a copy that does not outlive it.
 */
public final class TextBytes {
  /** The text, from 0 to {@link #length}; another array once it has grown. */
  public byte[] bytes;

  /** How many bytes there are. */
  public int length;

  /** Empty, with room for so many bytes. */
  public TextBytes(int room) {
    bytes = new byte[room];
  }

  /** Forgets everything. */
  public TextBytes clear() {
    length = 0;
    return this;
  }

  /** An ASCII character. */
  public TextBytes append(char ascii) {
    reserve(1);
    bytes[length++] = (byte) ascii;
    return this;
  }

  /** Any text. */
  public TextBytes append(String text) {
    // Of all ways to have a string's bytes the one that the JDK does many at a time.
    return append(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What is UTF-8 already. */
  public TextBytes append(byte[] text) {
    return append(text, 0, text.length);
  }

  /** The same, of a part of an array. */
  public TextBytes append(byte[] text, int from, int count) {
    reserve(count);
    System.arraycopy(text, from, bytes, length, count);
    length += count;
    return this;
  }

  /** A number in decimal. */
  public TextBytes append(long value) {
    if (value < 0) {
      return append(Long.toString(value));
    }
    int digits = 1;
    for (long rest = value; rest > 9; rest /= 10) {
      digits++;
    }
    return append(value, digits);
  }

  /** The last digits of a number that is not negative. */
  public TextBytes append(long value, int digits) {
    reserve(digits);
    long rest = value;
    for (int at = length + digits - 1; at >= length; at--) {
      bytes[at] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    length += digits;
    return this;
  }

  /** An IPv4 address in dotted decimals. */
  public TextBytes address(int address) {
    reserve(15);
    octet(address >>> 24);
    for (int shift = 16; shift >= 0; shift -= 8) {
      bytes[length++] = '.';
      octet(address >>> shift & 0xFF);
    }
    return this;
  }

  private void octet(int value) {
    if (value > 99) {
      bytes[length++] = (byte) ('0' + value / 100);
    }
    if (value > 9) {
      bytes[length++] = (byte) ('0' + value / 10 % 10);
    }
    bytes[length++] = (byte) ('0' + value % 10);
  }

  private void reserve(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
    }
  }

  @Override
  public String toString() {
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
