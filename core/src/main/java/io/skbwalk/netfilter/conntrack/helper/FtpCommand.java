// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import java.util.Arrays;

/**
 * What FTP announces a data connection with: two commands (RFC 959, RFC 2428) and the answers to
 * two others.
 */
enum FtpCommand {
  /** {@code PORT 192,168,7,2,156,64}, its numbers up to the end of the line. */
  PORT("PORT", "PORT", ' ') {
    @Override
    boolean read(byte[] bytes, int from, int end, Announced announced) {
      return announced.numbers(bytes, from, end, '\r');
    }

    @Override
    void write(Replacement out, int address, int port) {
      out.address(address, ',').put(',').number(port >>> 8).put(',').number(port & 0xFF);
    }
  },

  /** {@code EPRT |1|192.168.7.2|40000|}. */
  EPRT("EPRT", "EPRT", ' ') {
    @Override
    boolean read(byte[] bytes, int from, int end, Announced announced) {
      return announced.extendedPort(bytes, from, end);
    }

    @Override
    void write(Replacement out, int address, int port) {
      out.put('|').put('1').put('|').address(address, '.').put('|').number(port).put('|');
    }
  },

  /** {@code 227 Entering Passive Mode (203,0,113,1,156,64)}; RFC 1123: find the first digit. */
  PASV("227 ", "the reply to PASV", '\0') {
    @Override
    boolean read(byte[] bytes, int from, int end, Announced announced) {
      int digit = from;
      while (digit < end && !Payload.isDigit(bytes[digit])) {
        digit++;
      }
      return announced.numbers(bytes, digit, end, Announced.ANYTHING);
    }

    @Override
    void write(Replacement out, int address, int port) {
      PORT.write(out, address, port);
    }
  },

  /** {@code 229 Entering Extended Passive Mode (|||40000|)}. */
  EPSV("229 ", "the reply to EPSV", '(') {
    @Override
    boolean read(byte[] bytes, int from, int end, Announced announced) {
      return announced.extendedPassive(bytes, from, end);
    }

    @Override
    void write(Replacement out, int address, int port) {
      out.put('|').put('|').put('|').number(port).put('|');
    }
  };

  /** What a line begins with, in any case. */
  final String pattern;

  /** What the kernel's log says of a part of it. */
  final String partial;

  private final String name;

  /** What stands before the numbers; all up to it is passed over. 0 for nothing. */
  private final char skip;

  FtpCommand(String pattern, String name, char skip) {
    this.pattern = pattern;
    partial = "partial matching of `" + pattern + "'";
    this.name = name;
    this.skip = skip;
  }

  /** Reads the numbers between {@code from} and {@code end}; false when they are not right. */
  abstract boolean read(byte[] bytes, int from, int end, Announced announced);

  /** Appends the numbers as this command has them. */
  abstract void write(Replacement out, int address, int port);

  /**
   * Plays find_pattern: do the bytes begin with this, or with as much of it as they are long? What
   * it announces is {@link Announced#whole} if all of it can be read.
   */
  final boolean find(byte[] bytes, int from, int end, Announced announced) {
    int compared = Math.min(end - from, pattern.length());
    for (int i = 0; i < compared; i++) {
      if (Payload.upperCase(bytes[from + i]) != pattern.charAt(i)) {
        return false;
      }
    }
    int at = from + compared;
    if (skip != 0) {
      while (at < end && bytes[at] != skip) {
        at++;
      }
      at++;
    }
    announced.whole = at < end && read(bytes, at, end, announced);
    return true;
  }

  /** For people. */
  @Override
  public String toString() {
    return name;
  }

  /** What was read, and where it stands, as reusable working space. */
  static final class Announced {
    /** A terminator that any other character will do for. */
    static final int ANYTHING = -1;

    private static final int NUMBERS_OF_ADDRESS = 4;
    private static final int NUMBERS = 6;

    private final int[] numbers = new int[NUMBERS];

    /** Was all of it there? */
    boolean whole;

    int address;
    int port;

    /** Where in the buffer the numbers stand. */
    int from;

    int length;

    /** Reads {@code 192,168,7,2,156,64}; numbers that are too large spill over, as in Linux. */
    boolean numbers(byte[] bytes, int from, int end, int terminator) {
      int behind = series(bytes, from, end, NUMBERS, ',', terminator);
      if (behind < 0) {
        return false;
      }
      address = addressOfNumbers();
      port = (numbers[4] << 8 | numbers[5]) & 0xFFFF;
      return found(from, behind);
    }

    /** Reads {@code |1|192.168.7.2|40000|}. */
    boolean extendedPort(byte[] bytes, int from, int end) {
      if (end - from <= 3 || !isDelimiter(bytes[from]) || bytes[from + 2] != bytes[from]) {
        return false;
      }
      if (bytes[from + 1] != '1') {
        return false; // an address of IPv6
      }
      byte delimiter = bytes[from];
      int behind = series(bytes, from + 3, end, NUMBERS_OF_ADDRESS, '.', delimiter);
      if (behind <= from + 3) {
        return false;
      }
      address = addressOfNumbers();
      return portBehind(bytes, from, behind + 1, end, delimiter);
    }

    /** Reads {@code |||40000|}. */
    boolean extendedPassive(byte[] bytes, int from, int end) {
      return end - from > 3
          && isDelimiter(bytes[from])
          && bytes[from + 1] == bytes[from]
          && bytes[from + 2] == bytes[from]
          && portBehind(bytes, from, from + 3, end, bytes[from]);
    }

    private static boolean isDelimiter(byte character) {
      return character > ' ' && character < 0x7F && !Payload.isDigit(character);
    }

    /** Plays get_port. */
    private boolean portBehind(byte[] bytes, int from, int start, int end, byte delimiter) {
      int number = 0;
      for (int at = start; at < end; at++) {
        if (bytes[at] == delimiter) {
          port = number;
          return number != 0 && found(from, at + 1);
        }
        if (!Payload.isDigit(bytes[at])) {
          return false;
        }
        number = number * 10 + bytes[at] - '0' & 0xFFFF;
      }
      return false;
    }

    /**
     * Plays try_number: so many numbers, any of which may be empty, up to the terminator; offset
     * behind them, -1 when they are not there.
     */
    private int series(byte[] bytes, int from, int end, int count, char separator, int terminator) {
      Arrays.fill(numbers, 0);
      int index = 0;
      for (int at = from; at < end && index < count; at++) {
        byte character = bytes[at];
        if (Payload.isDigit(character)) {
          numbers[index] = numbers[index] * 10 + character - '0';
        } else if (character == separator) {
          index++;
        } else {
          boolean last = index == count - 1;
          return last && at > from && (terminator == ANYTHING || character == terminator) ? at : -1;
        }
      }
      return -1;
    }

    private int addressOfNumbers() {
      return numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3];
    }

    private boolean found(int start, int behind) {
      from = start;
      length = behind - start;
      return true;
    }
  }
}
