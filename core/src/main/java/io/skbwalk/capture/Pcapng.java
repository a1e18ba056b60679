// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Blocks that describe sections, interfaces and frames; those of other types are skipped. Source:
 * draft-ietf-opsawg-pcapng.
 */
final class Pcapng extends CaptureFormat {
  // Any pcapng block; lengths count all of it:
  //   0      4        8          length-4
  //   | type | length | body ... | length |
  private static final int BLOCK_LENGTH_OFFSET = 4;
  private static final int BLOCK_HEADER = 8;
  private static final int BLOCK_LEAST = 12;

  // Section Header Block:
  //   8       12      14      16              24
  //   | magic | major | minor | section bytes | options ...
  static final int SECTION = 0x0a0d0d0a;
  private static final int SECTION_MAGIC_OFFSET = 8;
  private static final int SECTION_MAJOR_OFFSET = 12;
  private static final int SECTION_MINOR_OFFSET = 14;
  private static final int SECTION_LEAST = 28;
  private static final int BYTE_ORDER_MAGIC = 0x1a2b3c4d;

  // Interface Description Block:
  //   8           10   12     16
  //   | link type |    | snap | options ...
  private static final int INTERFACE = 1;
  private static final int INTERFACE_LINK_TYPE_OFFSET = 8;
  private static final int INTERFACE_SNAP_OFFSET = 12;
  private static final int INTERFACE_OPTIONS_OFFSET = 16;
  private static final int INTERFACE_LEAST = 20;
  private static final int MAXIMUM_INTERFACES = 1 << 16;
  private static final int MAXIMUM_NAME = 1024;

  // Enhanced Packet Block, and the obsolete Packet Block, whose interface takes 2 bytes:
  //   8           12          16         20         24       28
  //   | interface | time high | time low | captured | length | frame, padded to 4 | options ...
  private static final int ENHANCED_PACKET = 6;
  private static final int OLD_PACKET = 2;
  private static final int PACKET_INTERFACE_OFFSET = 8;
  private static final int PACKET_TIME_HIGH_OFFSET = 12;
  private static final int PACKET_TIME_LOW_OFFSET = 16;
  private static final int PACKET_CAPTURED_OFFSET = 20;
  private static final int PACKET_LENGTH_OFFSET = 24;
  private static final int PACKET_FRAME_OFFSET = 28;
  private static final int PACKET_LEAST = 32;

  // Simple Packet Block, of interface 0, without a time:
  //   8        12
  //   | length | frame, padded to 4
  private static final int SIMPLE_PACKET = 3;
  private static final int SIMPLE_LENGTH_OFFSET = 8;
  private static final int SIMPLE_FRAME_OFFSET = 12;
  private static final int SIMPLE_LEAST = 16;

  // Of an interface.
  private static final int OPTION_INTERFACE_NAME = 2;
  private static final int OPTION_TIME_RESOLUTION = 9;
  private static final int OPTION_FCS_LENGTH = 13;
  private static final int OPTION_TIME_OFFSET = 14;

  // Of a packet. epb_flags: 1..0 direction, 8..5 FCS length in bytes, 0 when not known.
  private static final int OPTION_COMMENT = 1;
  private static final int OPTION_PACKET_FLAGS = 2;

  private final PcapngOptions options;
  private final List<CapturedInterface> interfaces = new ArrayList<>();
  private int firstOfSection;
  private int optionsOffset;
  private int optionsEnd;

  /** One whose section header is the first block. */
  Pcapng(CaptureInput input) {
    super(input);
    options = new PcapngOptions(input);
    if (!input.available(SECTION_LEAST)) {
      throw input.cutHeader("pcapng section header");
    }
  }

  @Override
  boolean next() {
    while (true) {
      if (!input.available(BLOCK_LEAST)) {
        return input.end(BLOCK_LEAST);
      }
      int type = input.block.getInt(input.position);
      if (type == SECTION) {
        if (!input.available(SECTION_LEAST)) {
          return input.end(SECTION_LEAST);
        }
        beginSection();
      }
      long length =
          Integer.toUnsignedLong(input.block.getInt(input.position + BLOCK_LENGTH_OFFSET));
      int least =
          switch (type) {
            case SECTION -> SECTION_LEAST;
            case INTERFACE -> INTERFACE_LEAST;
            case ENHANCED_PACKET, OLD_PACKET -> PACKET_LEAST;
            case SIMPLE_PACKET -> SIMPLE_LEAST;
            default -> 0;
          };
      if ((length & 3) != 0 || length < Math.max(least, BLOCK_LEAST)) {
        throw input.damaged(
            "block length "
                + length
                + "; a multiple of 4 of at least "
                + Math.max(least, BLOCK_LEAST)
                + " is needed");
      }
      if (least == 0 || type == SECTION) {
        if (!skipBlock(length)) {
          return false;
        }
        continue;
      }
      if (length > CaptureReader.BLOCK) {
        throw input.damaged(
            "block length " + length + "; at most " + CaptureReader.BLOCK + " is possible here");
      }
      int whole = (int) length;
      if (!input.available(whole)) {
        return input.end(whole);
      }
      checkEndLength(input.offset(), input.position + whole - 4, length);
      if (type == INTERFACE) {
        addInterface(whole);
        input.position += whole;
        continue;
      }
      readPacket(type, whole);
      input.position += whole;
      input.frameNumber++;
      return true;
    }
  }

  private void beginSection() {
    int magic = input.frames.getInt(input.position + SECTION_MAGIC_OFFSET);
    if (magic == BYTE_ORDER_MAGIC) {
      input.block.order(ByteOrder.BIG_ENDIAN);
    } else if (Integer.reverseBytes(magic) == BYTE_ORDER_MAGIC) {
      input.block.order(ByteOrder.LITTLE_ENDIAN);
    } else {
      throw input.damaged(
          "section header with byte order 0x"
              + Integer.toHexString(magic)
              + "; 0x1a2b3c4d in either order is needed");
    }
    int major = Short.toUnsignedInt(input.block.getShort(input.position + SECTION_MAJOR_OFFSET));
    int minor = Short.toUnsignedInt(input.block.getShort(input.position + SECTION_MINOR_OFFSET));
    if (major != 1) {
      throw input.damaged("pcapng version " + major + "." + minor + "; version 1 can be read");
    }
    firstOfSection = interfaces.size();
  }

  private boolean skipBlock(long length) {
    long start = input.offset();
    long missing = input.skip(length - 4);
    if (missing > 0) {
      return input.cut(start, missing + 4);
    }
    if (!input.available(4)) {
      return input.cut(start, 4 - input.left());
    }
    checkEndLength(start, input.position, length);
    input.position += 4;
    return true;
  }

  private void checkEndLength(long start, int at, long length) {
    long repeated = Integer.toUnsignedLong(input.block.getInt(at));
    if (repeated != length) {
      throw input.damaged(
          start, "block length " + length + " at its begin, " + repeated + " at its end");
    }
  }

  private void addInterface(int whole) {
    if (interfaces.size() >= MAXIMUM_INTERFACES) {
      throw input.damaged("more than " + MAXIMUM_INTERFACES + " interfaces");
    }
    int end = input.position + whole - 4;
    String name = "";
    int resolution = 6;
    long offsetSeconds = 0;
    int fcs = -1;
    options.of(input.position + INTERFACE_OPTIONS_OFFSET, end);
    while (options.next()) {
      switch (options.code) {
        case OPTION_INTERFACE_NAME -> {
          if (options.length > MAXIMUM_NAME) {
            throw input.damaged(
                "an interface name of " + options.length + " bytes; at most " + MAXIMUM_NAME);
          }
          name = options.text();
        }
        case OPTION_TIME_RESOLUTION ->
            resolution = Byte.toUnsignedInt(input.block.get(options.value(1, "if_tsresol")));
        case OPTION_TIME_OFFSET ->
            offsetSeconds = input.block.getLong(options.value(8, "if_tsoffset"));
        case OPTION_FCS_LENGTH -> {
          fcs = Byte.toUnsignedInt(input.block.get(options.value(1, "if_fcslen")));
          // The draft counts bits but its example is 4, and what is written is bytes.
          fcs = fcs == 16 || fcs == 32 ? fcs / 8 : fcs;
        }
        default -> {
          // What it says is not asked for here.
        }
      }
    }
    CapturedInterface.Ticks ticks = CapturedInterface.Ticks.of(resolution, offsetSeconds);
    if (ticks == null) {
      throw input.damaged(
          "if_tsresol 0x"
              + Integer.toHexString(resolution)
              + "; at finest 10^-19 or 2^-63 of a second can be read");
    }
    int inFile =
        Short.toUnsignedInt(input.block.getShort(input.position + INTERFACE_LINK_TYPE_OFFSET));
    interfaces.add(
        new CapturedInterface(
            interfaces.size(),
            name,
            inFile,
            LinkType.readable(inFile),
            input.block.getInt(input.position + INTERFACE_SNAP_OFFSET),
            fcs,
            ticks));
  }

  private void readPacket(int type, int whole) {
    int at = input.position;
    int end = at + whole - 4;
    long number = 0;
    if (type == ENHANCED_PACKET) {
      number = Integer.toUnsignedLong(input.block.getInt(at + PACKET_INTERFACE_OFFSET));
    } else if (type == OLD_PACKET) {
      number = Short.toUnsignedInt(input.block.getShort(at + PACKET_INTERFACE_OFFSET));
    }
    if (number >= interfaces.size() - firstOfSection) {
      throw input.damaged(
          "interface "
              + number
              + ", but this section has described "
              + (interfaces.size() - firstOfSection)
              + " before");
    }
    CapturedInterface from = interfaces.get(firstOfSection + (int) number);
    if (from.linkType() < 0) {
      throw input.damaged(CapturedInterface.unreadable(from.inFile()));
    }
    boolean simple = type == SIMPLE_PACKET;
    int original = input.block.getInt(at + (simple ? SIMPLE_LENGTH_OFFSET : PACKET_LENGTH_OFFSET));
    int captured = original;
    if (!simple) {
      captured = input.block.getInt(at + PACKET_CAPTURED_OFFSET);
    } else if (from.snapLength() != 0 && Integer.compareUnsigned(from.snapLength(), original) < 0) {
      captured = from.snapLength();
    }
    captured(captured);
    int frame = at + (simple ? SIMPLE_FRAME_OFFSET : PACKET_FRAME_OFFSET);
    int behind = frame + PcapngOptions.padded(captured);
    if (behind > end) {
      throw input.damaged(
          captured + " bytes captured in a block that holds " + (end - frame) + " at most");
    }
    optionsOffset = behind;
    optionsEnd = simple ? behind : end;
    direction = CaptureReader.DIRECTION_UNKNOWN;
    fcsLength = from.fcsLength();
    if (optionsOffset < optionsEnd) {
      readPacketOptions();
    }
    if (!simple) {
      long stamp =
          (long) input.block.getInt(at + PACKET_TIME_HIGH_OFFSET) << 32
              | Integer.toUnsignedLong(input.block.getInt(at + PACKET_TIME_LOW_OFFSET));
      try {
        timestampNanos = from.ticks().nanos(stamp);
      } catch (ArithmeticException e) {
        throw input.damaged(
            "timestamp "
                + Long.toUnsignedString(stamp)
                + "; times up to the year 2262 can be read");
      }
    }
    on = from;
    capturedLength = captured;
    originalLength = length(original);
    frameOffset = frame;
  }

  private void readPacketOptions() {
    options.of(optionsOffset, optionsEnd);
    while (options.next()) {
      if (options.code == OPTION_PACKET_FLAGS) {
        int flags = input.block.getInt(options.value(4, "epb_flags"));
        direction = (flags & 3) == 3 ? CaptureReader.DIRECTION_UNKNOWN : flags & 3;
        int fcs = flags >>> 5 & 0xf;
        if (fcs != 0) {
          fcsLength = fcs;
        }
      }
    }
  }

  @Override
  CapturedInterface described(int interfaceIndex) {
    return interfaces.get(interfaceIndex);
  }

  @Override
  List<String> comments() {
    options.of(optionsOffset, optionsEnd);
    List<String> comments = new ArrayList<>(0);
    while (options.next()) {
      if (options.code == OPTION_COMMENT) {
        comments.add(options.text());
      }
    }
    return comments;
  }
}
