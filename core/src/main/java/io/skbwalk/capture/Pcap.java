// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.nio.ByteOrder;

/** A file header, then a record for each frame. Source: draft-ietf-opsawg-pcap. */
final class Pcap extends CaptureFormat {
  // pcap file header, once:
  //   0       4       6       8       12      16      20             24
  //   | magic | major | minor | zone  | sigfig| snap  | f, link type |
  //                                                     31..28 FCS length in 2 bytes, 26 whether so
  private static final int PCAP_HEADER = 24;
  private static final int PCAP_MAJOR_OFFSET = 4;
  private static final int PCAP_MINOR_OFFSET = 6;
  private static final int PCAP_SNAP_OFFSET = 16;
  private static final int PCAP_LINK_TYPE_OFFSET = 20;
  private static final int PCAP_FCS_PRESENT = 1 << 26;
  private static final int MAGIC_MICROSECONDS = 0xa1b2c3d4;
  private static final int MAGIC_NANOSECONDS = 0xa1b23c4d;

  // pcap record, one a frame:
  //   0       4          8          12       16
  //   | sec   | fraction | captured | length | frame ...
  private static final int RECORD_HEADER = 16;
  private static final int RECORD_FRACTION_OFFSET = 4;
  private static final int RECORD_CAPTURED_OFFSET = 8;
  private static final int RECORD_LENGTH_OFFSET = 12;

  private final boolean nanoseconds;

  /** Reads the file header. */
  Pcap(CaptureInput input) {
    super(input);
    int magic = input.frames.getInt(input.position);
    boolean little = isMagic(Integer.reverseBytes(magic));
    input.block.order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    nanoseconds = (little ? Integer.reverseBytes(magic) : magic) == MAGIC_NANOSECONDS;
    if (!input.available(PCAP_HEADER)) {
      throw input.cutHeader("pcap file header");
    }
    int at = input.position;
    int major = Short.toUnsignedInt(input.block.getShort(at + PCAP_MAJOR_OFFSET));
    int minor = Short.toUnsignedInt(input.block.getShort(at + PCAP_MINOR_OFFSET));
    if (major != 2 || minor != 4) {
      throw new CaptureException(
          input.file,
          PCAP_MAJOR_OFFSET,
          0,
          "pcap version " + major + "." + minor + "; version 2.4 can be read");
    }
    int field = input.block.getInt(at + PCAP_LINK_TYPE_OFFSET);
    int inFile = field & 0xffff;
    int linkType = LinkType.readable(inFile);
    if (linkType < 0) {
      throw new CaptureException(
          input.file, PCAP_LINK_TYPE_OFFSET, 0, CapturedInterface.unreadable(inFile));
    }
    fcsLength = (field & PCAP_FCS_PRESENT) != 0 ? (field >>> 28) * 2 : -1;
    int snap = input.block.getInt(at + PCAP_SNAP_OFFSET);
    on = new CapturedInterface(0, "", inFile, linkType, snap, fcsLength, null);
    input.position = at + PCAP_HEADER;
  }

  /** Does a file of this format begin so? Either byte order is possible. */
  static boolean begins(int magic) {
    return isMagic(magic) || isMagic(Integer.reverseBytes(magic));
  }

  private static boolean isMagic(int magic) {
    return magic == MAGIC_MICROSECONDS || magic == MAGIC_NANOSECONDS;
  }

  @Override
  boolean next() {
    if (!input.available(RECORD_HEADER)) {
      return input.end(RECORD_HEADER);
    }
    int captured = captured(input.block.getInt(input.position + RECORD_CAPTURED_OFFSET));
    if (!input.available(RECORD_HEADER + captured)) {
      return input.end(RECORD_HEADER + captured);
    }
    int at = input.position;
    long seconds = Integer.toUnsignedLong(input.block.getInt(at));
    long fraction = Integer.toUnsignedLong(input.block.getInt(at + RECORD_FRACTION_OFFSET));
    timestampNanos = seconds * SECOND + (nanoseconds ? fraction : fraction * 1000);
    capturedLength = captured;
    originalLength = length(input.block.getInt(at + RECORD_LENGTH_OFFSET));
    frameOffset = at + RECORD_HEADER;
    input.position = frameOffset + captured;
    input.frameNumber++;
    return true;
  }
}
