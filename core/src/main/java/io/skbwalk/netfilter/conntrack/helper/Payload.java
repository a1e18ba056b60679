// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

/** What helpers read payloads with: bytes of ASCII in a buffer, never strings. */
final class Payload {
  private Payload() {}

  /** Do the bytes from {@code at} begin with {@code text}? */
  static boolean startsWith(byte[] bytes, int at, int end, byte[] text) {
    if (end - at < text.length) {
      return false;
    }
    for (int i = 0; i < text.length; i++) {
      if (bytes[at + i] != text[i]) {
        return false;
      }
    }
    return true;
  }

  /** Plays strncasecmp: the same, letters in any case. */
  static boolean startsWithIgnoringCase(byte[] bytes, int at, int end, byte[] text) {
    if (end - at < text.length) {
      return false;
    }
    for (int i = 0; i < text.length; i++) {
      if (upperCase(bytes[at + i]) != upperCase(text[i])) {
        return false;
      }
    }
    return true;
  }

  static int upperCase(int character) {
    return character >= 'a' && character <= 'z' ? character - 'a' + 'A' : character;
  }

  /** Plays isalpha, for which the letters of Latin-1 are letters, too. */
  static boolean isLetter(byte character) {
    int upper = upperCase(character) & 0xFF;
    return upper >= 'A' && upper <= 'Z' || upper >= 0xC0 && upper != 0xD7 && upper != 0xF7;
  }

  static boolean isHexLetter(int character) {
    int upper = upperCase(character);
    return upper >= 'A' && upper <= 'F';
  }

  static boolean isDigit(int character) {
    return character >= '0' && character <= '9';
  }

  /** Behind the digits at {@code at}. */
  static int skipDigits(byte[] bytes, int at, int end) {
    while (at < end && isDigit(bytes[at])) {
      at++;
    }
    return at;
  }

  /** Plays simple_strtoul of digits: what does not fit 32 bits is lost. */
  static int number(byte[] bytes, int from, int end) {
    int number = 0;
    for (int at = from; at < end; at++) {
      number = number * 10 + bytes[at] - '0';
    }
    return number;
  }
}
