// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.util.List;

/**
 * The records of a capture in one of the file formats, and what the current one says of its frame.
 */
abstract sealed class CaptureFormat permits Pcap, Pcapng {
  static final long SECOND = 1_000_000_000L;

  final CaptureInput input;

  /** Nanoseconds since 1970. */
  long timestampNanos;

  /** How many bytes of the frame are there. */
  int capturedLength;

  /** How many bytes it had. */
  int originalLength;

  /** Where it begins in the input's memory. */
  int frameOffset;

  /** One of {@link CaptureReader#DIRECTION_UNKNOWN}, INBOUND and OUTBOUND. */
  int direction;

  /** Bytes of frame check sequence at its end: -1 not known. */
  int fcsLength = -1;

  /** Where it was captured. */
  CapturedInterface on;

  CaptureFormat(CaptureInput input) {
    this.input = input;
  }

  /** Goes to the next frame; false when there is none, or only the begin of one. */
  abstract boolean next();

  /** What the capture says of the current frame in words. */
  List<String> comments() {
    return List.of();
  }

  /** The interface of that index, at most the current frame's. */
  CapturedInterface described(int interfaceIndex) {
    return on;
  }

  /** Checks how many bytes a record says that it has of its frame. */
  final int captured(int bytes) {
    if (bytes < 0 || bytes > CaptureReader.MAXIMUM_FRAME) {
      throw input.damaged(
          Integer.toUnsignedLong(bytes)
              + " bytes captured; at most "
              + CaptureReader.MAXIMUM_FRAME
              + " are possible");
    }
    return bytes;
  }

  /** Lengths of over 2 GiB can only be wrong, but only captured bytes are ever taken. */
  static int length(int original) {
    return original < 0 ? Integer.MAX_VALUE : original;
  }
}
