// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

/**
 * An interface that frames were captured on, as the capture describes it; of pcap the one of the
 * file header.
 *
 * @param index from 0 through the whole file
 * @param name empty when the capture has none
 * @param inFile the link type's number there
 * @param linkType one of {@link LinkType}, or -1 where frames of it cannot be read
 * @param snapLength how many bytes of a frame were captured at most; 0 for all
 * @param fcsLength bytes of frame check sequence; -1 when the capture does not say
 * @param ticks what its timestamps count; null in pcap
 */
record CapturedInterface(
    int index, String name, int inFile, int linkType, int snapLength, int fcsLength, Ticks ticks) {

  /** Why frames of a link type cannot be read. */
  static String unreadable(int inFile) {
    String name = LinkType.name(inFile);
    String number = "link type " + inFile;
    return number + (name.equals(number) ? "" : " (" + name + ")") + "; " + LinkType.READABLE;
  }

  /** How the 64 bits of a pcapng timestamp become nanoseconds. */
  record Ticks(boolean binary, int exponent, long power, long offsetSeconds) {
    /** Throws ArithmeticException when it does not fit. */
    long nanos(long stamp) {
      long nanos;
      if (binary) {
        long seconds = exponent == 0 ? stamp : stamp >>> exponent;
        long fraction = exponent == 0 ? 0 : stamp & ((1L << exponent) - 1);
        long high = Math.multiplyHigh(fraction, CaptureFormat.SECOND);
        long low = fraction * CaptureFormat.SECOND;
        long part = exponent == 0 ? 0 : high << (64 - exponent) | low >>> exponent;
        nanos = Math.addExact(Math.multiplyExact(seconds, CaptureFormat.SECOND), part);
      } else if (exponent <= 9) {
        if (stamp < 0) {
          throw new ArithmeticException();
        }
        nanos = Math.multiplyExact(stamp, power);
      } else {
        nanos = Long.divideUnsigned(stamp, power);
      }
      return offsetSeconds == 0
          ? nanos
          : Math.addExact(nanos, Math.multiplyExact(offsetSeconds, CaptureFormat.SECOND));
    }

    /** From if_tsresol's byte, or null when a resolution is finer than 64 bits can hold. */
    static Ticks of(int resolution, long offsetSeconds) {
      int exponent = resolution & 0x7f;
      if ((resolution & 0x80) != 0) {
        return exponent > 63 ? null : new Ticks(true, exponent, 0, offsetSeconds);
      }
      if (exponent > 19) {
        return null;
      }
      long power = 1;
      for (int i = 0; i < Math.abs(9 - exponent); i++) {
        power *= 10;
      }
      return new Ticks(false, exponent, power, offsetSeconds);
    }
  }
}
