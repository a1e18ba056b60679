// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.nio.charset.StandardCharsets;

/** The options of a pcapng block, one after the other. */
final class PcapngOptions {
  // Each:
  //   0      2        4
  //   | code | length | value, padded to 4
  private static final int HEADER = 4;
  private static final int END = 0;

  /** What the current one is. */
  int code;

  /** Bytes of its value. */
  int length;

  private final CaptureInput input;
  private int value;
  private int next;
  private int end;

  PcapngOptions(CaptureInput input) {
    this.input = input;
  }

  /** Those from {@code start} to {@code end} in the input's memory. */
  void of(int start, int end) {
    next = start;
    this.end = end;
  }

  /** Goes to the next one; false at the end of them. */
  boolean next() {
    if (end - next < HEADER) {
      if (end != next) {
        throw input.damaged("options that end within an option's header");
      }
      return false;
    }
    code = Short.toUnsignedInt(input.block.getShort(next));
    if (code == END) {
      return false;
    }
    length = Short.toUnsignedInt(input.block.getShort(next + 2));
    value = next + HEADER;
    if (padded(length) > end - value) {
      throw input.damaged("an option of " + length + " bytes where " + (end - value) + " are left");
    }
    next = value + padded(length);
    return true;
  }

  /**
   * Where its value is.
   *
   * @param right how many bytes it must have
   * @param name what the draft calls it
   */
  int value(int right, String name) {
    if (length != right) {
      throw input.damaged(name + " of " + length + " bytes; " + right + " are needed");
    }
    return value;
  }

  /** Its value as text, without zeros at the end. */
  String text() {
    byte[] bytes = new byte[length];
    input.block.get(value, bytes);
    int used = length;
    while (used > 0 && bytes[used - 1] == 0) {
      used--;
    }
    return new String(bytes, 0, used, StandardCharsets.UTF_8);
  }

  /** Values begin at multiples of four bytes. */
  static int padded(int length) {
    return length + 3 & ~3;
  }
}
