// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import io.airlift.compress.MalformedInputException;
import io.airlift.compress.zstd.ZstdInputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * A cursor over the frames of a pcap or pcapng capture, told apart by content, as is gzip or
 * zstandard around either. Reads {@value #BLOCK} bytes at a time into direct memory, so that a
 * capture may be far larger than memory, and allocates nothing per frame.
 *
 * <pre>{@code
 * try (CaptureReader capture = CaptureReader.open("web.pcapng")) {
 *   while (capture.next()) {
 *     capture.copyTo(frame, 0, capture.capturedLength());
 *   }
 *   if (capture.truncation() != null) { ... }
 * }
 * }</pre>
 *
 * <p>A capture that breaks off gives the frames up to there; {@link #truncation} then says where.
 * All else that is wrong with it is a {@link CaptureException}. Not for use by several threads.
 *
 * <p>Interfaces are counted through the whole file: those of a second section come after those of
 * the first. Captured bytes beyond the snapshot length that a file announces are delivered
 * (Wireshark does so; libpcap cuts them off).
 *
 * <p>Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
public final class CaptureReader implements AutoCloseable {
  /** How much is read at once, bytes; also the longest block whose inside is looked at. */
  public static final int BLOCK = 1 << 20;

  /** The longest frame, bytes: MAXIMUM_SNAPLEN of libpcap. */
  public static final int MAXIMUM_FRAME = 256 << 10;

  /** What {@link #direction} says when the capture does not. */
  public static final int DIRECTION_UNKNOWN = 0;

  /** {@link #direction} of a frame that the capturing machine received. */
  public static final int INBOUND = 1;

  /** {@link #direction} of a frame that the capturing machine sent. */
  public static final int OUTBOUND = 2;

  // pcap file header, once:
  //   0       4       6       8       12      16      20             24
  //   | magic | major | minor | zone  | sigfig| snap  | f, link type |
  //                                                     31..28 FCS length in 2 bytes, 26 whether so
  private static final int PCAP_HEADER = 24;
  private static final int PCAP_MAJOR_OFFSET = 4;
  private static final int PCAP_MINOR_OFFSET = 6;
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

  // Any pcapng block; lengths count all of it:
  //   0      4        8          length-4
  //   | type | length | body ... | length |
  private static final int BLOCK_LENGTH_OFFSET = 4;
  private static final int BLOCK_HEADER = 8;
  private static final int BLOCK_LEAST = 12;

  // Section Header Block:
  //   8       12      14      16              24
  //   | magic | major | minor | section bytes | options ...
  private static final int SECTION = 0x0a0d0d0a;
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

  // Options, each:
  //   0      2        4
  //   | code | length | value, padded to 4
  private static final int OPTION_HEADER = 4;
  private static final int OPTION_END = 0;
  private static final int OPTION_COMMENT = 1;
  private static final int OPTION_INTERFACE_NAME = 2;
  private static final int OPTION_TIME_RESOLUTION = 9;
  private static final int OPTION_FCS_LENGTH = 13;
  private static final int OPTION_TIME_OFFSET = 14;

  // epb_flags: 1..0 direction, 8..5 FCS length in bytes, 0 when not known.
  private static final int OPTION_PACKET_FLAGS = 2;

  // RFC 1952 section 2.3.1, RFC 8878 section 3.1.1, as read in network order.
  private static final short GZIP_MAGIC = 0x1f8b;
  private static final int ZSTANDARD_MAGIC = 0x28b52ffd;

  private static final long SECOND = 1_000_000_000L;

  /** An interface of the capture; of pcap the one that the file header describes. */
  private record Interface(
      int index,
      String name,
      int inFile,
      int linkType,
      int snapLength,
      int fcsLength,
      Ticks ticks) {}

  /** How the 64 bits of a pcapng timestamp become nanoseconds. */
  private record Ticks(boolean binary, int exponent, long power, long offsetSeconds) {
    /** Throws ArithmeticException when it does not fit. */
    long nanos(long stamp) {
      long nanos;
      if (binary) {
        long seconds = exponent == 0 ? stamp : stamp >>> exponent;
        long fraction = exponent == 0 ? 0 : stamp & ((1L << exponent) - 1);
        long high = Math.multiplyHigh(fraction, SECOND);
        long low = fraction * SECOND;
        long part = exponent == 0 ? 0 : high << (64 - exponent) | low >>> exponent;
        nanos = Math.addExact(Math.multiplyExact(seconds, SECOND), part);
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
          : Math.addExact(nanos, Math.multiplyExact(offsetSeconds, SECOND));
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

  private final String file;
  private ReadableByteChannel channel;

  /** The bytes in the file's own order, always addressed absolutely; valid from 0 to limit. */
  private final ByteBuffer block = ByteBuffer.allocateDirect(BLOCK);

  /** The same bytes in network order, for whoever looks at headers. */
  private final ByteBuffer frames = block.duplicate().order(ByteOrder.BIG_ENDIAN);

  private long blockStart;
  private int position;
  private int limit;
  private boolean atEnd;
  private Continued compressed;
  private String compression = "";
  private boolean cutCompression;

  private final boolean sections;
  private boolean nanoseconds;
  private final List<Interface> interfaces = new ArrayList<>();
  private int firstOfSection;

  private long frameNumber;
  private long timestampNanos;
  private int capturedLength;
  private int originalLength;
  private int frameOffset;
  private int optionsOffset;
  private int optionsEnd;
  private int direction;
  private int fcsLength = -1;
  private Interface on;
  private Truncation truncation;

  /**
   * Opens a capture, plain or compressed.
   *
   * @param file its path, or {@code -} for standard input
   * @throws CaptureException when it is missing, unreadable, empty, or not a capture
   */
  public static CaptureReader open(String file) {
    if (file.equals("-")) {
      return new CaptureReader(file, new FileInputStream(FileDescriptor.in).getChannel());
    }
    return open(Path.of(file));
  }

  /** Opens the capture at the path; see {@link #open(String)}. */
  public static CaptureReader open(Path file) {
    FileChannel channel;
    try {
      if (Files.isDirectory(file)) {
        throw new CaptureException(
            file.toString(), "is a directory; a pcap or pcapng file is needed");
      }
      channel = FileChannel.open(file);
    } catch (NoSuchFileException e) {
      throw new CaptureException(file.toString(), "no such file");
    } catch (AccessDeniedException e) {
      throw new CaptureException(file.toString(), "permission to read it denied");
    } catch (IOException e) {
      throw new CaptureException(file.toString(), "cannot be read: " + e.getMessage());
    }
    return new CaptureReader(file.toString(), channel);
  }

  /**
   * Reads a capture from a channel, which this then owns.
   *
   * @param file the name for messages
   * @throws CaptureException when it is empty or not a capture
   */
  public CaptureReader(String file, ReadableByteChannel channel) {
    this.file = Objects.requireNonNull(file);
    this.channel = Objects.requireNonNull(channel);
    boolean opened = false;
    try {
      sections = readStart();
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  /** Goes through compression to the file header; true for pcapng. */
  private boolean readStart() {
    if (!available(1)) {
      throw new CaptureException(file, "is empty; a pcap or pcapng file is needed");
    }
    if (available(4) && (frames.getShort(0) == GZIP_MAGIC || frames.getInt(0) == ZSTANDARD_MAGIC)) {
      uncompress(frames.getInt(0) == ZSTANDARD_MAGIC);
    }
    if (!available(4)) {
      throw notACapture();
    }
    int magic = frames.getInt(0);
    if (magic == SECTION) {
      if (!available(SECTION_LEAST)) {
        throw new CaptureException(
            file, limit, 0, "the pcapng section header is cut short; no frame can be read");
      }
      return true;
    }
    readFileHeader(magic);
    return false;
  }

  private CaptureException notACapture() {
    return new CaptureException(
        file,
        0,
        0,
        "is not a capture; a pcap or pcapng file (or one of them in gzip or zstandard) is needed");
  }

  private void uncompress(boolean zstandard) {
    byte[] begun = new byte[limit];
    block.get(0, begun);
    compressed = new Continued(begun, channel);
    compression = zstandard ? "zstandard" : "gzip";
    position = 0;
    limit = 0;
    atEnd = false;
    try {
      channel =
          Channels.newChannel(
              zstandard
                  ? new ZstdInputStream(compressed)
                  : new GZIPInputStream(compressed, 64 << 10));
    } catch (EOFException e) {
      throw new CaptureException(file, 0, 0, "its gzip header is cut short; no frame can be read");
    } catch (IOException e) {
      throw new CaptureException(file, 0, 0, "is not readable as gzip: " + e.getMessage());
    }
    if (!available(1)) {
      throw new CaptureException(
          file, "is empty inside " + compression + "; a pcap or pcapng file is needed");
    }
  }

  private void readFileHeader(int magic) {
    boolean little =
        Integer.reverseBytes(magic) == MAGIC_MICROSECONDS
            || Integer.reverseBytes(magic) == MAGIC_NANOSECONDS;
    int ordered = little ? Integer.reverseBytes(magic) : magic;
    if (ordered != MAGIC_MICROSECONDS && ordered != MAGIC_NANOSECONDS) {
      throw notACapture();
    }
    nanoseconds = ordered == MAGIC_NANOSECONDS;
    block.order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    if (!available(PCAP_HEADER)) {
      throw new CaptureException(
          file, limit, 0, "the pcap file header is cut short; no frame can be read");
    }
    int major = Short.toUnsignedInt(block.getShort(PCAP_MAJOR_OFFSET));
    int minor = Short.toUnsignedInt(block.getShort(PCAP_MINOR_OFFSET));
    if (major != 2 || minor != 4) {
      throw new CaptureException(
          file,
          PCAP_MAJOR_OFFSET,
          0,
          "pcap version " + major + "." + minor + "; version 2.4 can be read");
    }
    int field = block.getInt(PCAP_LINK_TYPE_OFFSET);
    int inFile = field & 0xffff;
    int linkType = LinkType.readable(inFile);
    if (linkType < 0) {
      throw new CaptureException(file, PCAP_LINK_TYPE_OFFSET, 0, unreadable(inFile));
    }
    int fcs = (field & PCAP_FCS_PRESENT) != 0 ? (field >>> 28) * 2 : -1;
    on = new Interface(0, "", inFile, linkType, 0, fcs, null);
    interfaces.add(on);
    fcsLength = fcs;
    position = PCAP_HEADER;
  }

  private static String unreadable(int inFile) {
    String name = LinkType.name(inFile);
    String number = "link type " + inFile;
    return number + (name.equals(number) ? "" : " (" + name + ")") + "; " + LinkType.READABLE;
  }

  /**
   * Goes to the next frame; what the other methods returned about the last one is no longer valid.
   *
   * @return false at the end, or where the file is cut short
   * @throws CaptureException when the capture is damaged, or a frame's link type is not one of
   *     {@link LinkType}
   */
  public boolean next() {
    if (truncation != null) {
      return false;
    }
    return sections ? nextBlock() : nextRecord();
  }

  private boolean nextRecord() {
    if (limit - position < RECORD_HEADER && !available(RECORD_HEADER)) {
      return end(RECORD_HEADER);
    }
    int at = position;
    int captured = block.getInt(at + RECORD_CAPTURED_OFFSET);
    if (captured < 0 || captured > MAXIMUM_FRAME) {
      throw absurdFrame(Integer.toUnsignedLong(captured));
    }
    if (limit - at < RECORD_HEADER + captured) {
      if (!available(RECORD_HEADER + captured)) {
        return end(RECORD_HEADER + captured);
      }
      at = position;
    }
    long seconds = Integer.toUnsignedLong(block.getInt(at));
    long fraction = Integer.toUnsignedLong(block.getInt(at + RECORD_FRACTION_OFFSET));
    timestampNanos = seconds * SECOND + (nanoseconds ? fraction : fraction * 1000);
    capturedLength = captured;
    originalLength = length(block.getInt(at + RECORD_LENGTH_OFFSET));
    frameOffset = at + RECORD_HEADER;
    position = frameOffset + captured;
    frameNumber++;
    return true;
  }

  private boolean nextBlock() {
    while (true) {
      if (limit - position < BLOCK_LEAST && !available(BLOCK_LEAST)) {
        return end(BLOCK_LEAST);
      }
      int type = block.getInt(position);
      if (type == SECTION) {
        if (!available(SECTION_LEAST)) {
          return end(SECTION_LEAST);
        }
        beginSection();
      }
      long length = Integer.toUnsignedLong(block.getInt(position + BLOCK_LENGTH_OFFSET));
      int least =
          switch (type) {
            case SECTION -> SECTION_LEAST;
            case INTERFACE -> INTERFACE_LEAST;
            case ENHANCED_PACKET, OLD_PACKET -> PACKET_LEAST;
            case SIMPLE_PACKET -> SIMPLE_LEAST;
            default -> 0;
          };
      if ((length & 3) != 0 || length < Math.max(least, BLOCK_LEAST)) {
        throw damaged(
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
      if (length > BLOCK) {
        throw damaged("block length " + length + "; at most " + BLOCK + " is possible here");
      }
      int whole = (int) length;
      if (limit - position < whole && !available(whole)) {
        return end(whole);
      }
      checkEndLength(position + whole - 4, length);
      if (type == INTERFACE) {
        addInterface(whole);
        position += whole;
        continue;
      }
      readPacket(type, whole);
      position += whole;
      frameNumber++;
      return true;
    }
  }

  private void beginSection() {
    int magic = frames.getInt(position + SECTION_MAGIC_OFFSET);
    if (magic == BYTE_ORDER_MAGIC) {
      block.order(ByteOrder.BIG_ENDIAN);
    } else if (Integer.reverseBytes(magic) == BYTE_ORDER_MAGIC) {
      block.order(ByteOrder.LITTLE_ENDIAN);
    } else {
      throw damaged(
          "section header with byte order 0x"
              + Integer.toHexString(magic)
              + "; 0x1a2b3c4d in either order is needed");
    }
    int major = Short.toUnsignedInt(block.getShort(position + SECTION_MAJOR_OFFSET));
    int minor = Short.toUnsignedInt(block.getShort(position + SECTION_MINOR_OFFSET));
    if (major != 1) {
      throw damaged("pcapng version " + major + "." + minor + "; version 1 can be read");
    }
    firstOfSection = interfaces.size();
  }

  private boolean skipBlock(long length) {
    long start = blockStart + position;
    long left = length - 4;
    while (left > limit - position) {
      left -= limit - position;
      position = limit;
      if (!available(1)) {
        return cut(start, left + 4);
      }
    }
    position += (int) left;
    if (!available(4)) {
      return cut(start, 4 - (limit - position));
    }
    long repeated = Integer.toUnsignedLong(block.getInt(position));
    if (repeated != length) {
      throw unequal(start, length, repeated);
    }
    position += 4;
    return true;
  }

  private void checkEndLength(int at, long length) {
    long repeated = Integer.toUnsignedLong(block.getInt(at));
    if (repeated != length) {
      throw unequal(blockStart + position, length, repeated);
    }
  }

  private CaptureException unequal(long start, long length, long repeated) {
    return new CaptureException(
        file,
        start,
        frameNumber + 1,
        "block length " + length + " at its begin, " + repeated + " at its end");
  }

  private void addInterface(int whole) {
    if (interfaces.size() >= MAXIMUM_INTERFACES) {
      throw damaged("more than " + MAXIMUM_INTERFACES + " interfaces");
    }
    int end = position + whole - 4;
    String name = "";
    int resolution = 6;
    long offsetSeconds = 0;
    int fcs = -1;
    int at = position + INTERFACE_OPTIONS_OFFSET;
    while (optionAt(at, end)) {
      int code = Short.toUnsignedInt(block.getShort(at));
      int size = Short.toUnsignedInt(block.getShort(at + 2));
      int value = at + OPTION_HEADER;
      if (code == OPTION_INTERFACE_NAME) {
        if (size > MAXIMUM_NAME) {
          throw damaged("an interface name of " + size + " bytes; at most " + MAXIMUM_NAME);
        }
        name = text(value, size);
      } else if (code == OPTION_TIME_RESOLUTION) {
        resolution = Byte.toUnsignedInt(block.get(wanted(value, size, 1, "if_tsresol")));
      } else if (code == OPTION_TIME_OFFSET) {
        offsetSeconds = block.getLong(wanted(value, size, 8, "if_tsoffset"));
      } else if (code == OPTION_FCS_LENGTH) {
        fcs = Byte.toUnsignedInt(block.get(wanted(value, size, 1, "if_fcslen")));
        // The draft counts bits but its example is 4, and what is written is bytes.
        fcs = fcs == 16 || fcs == 32 ? fcs / 8 : fcs;
      }
      at = value + padded(size);
    }
    Ticks ticks = Ticks.of(resolution, offsetSeconds);
    if (ticks == null) {
      throw damaged(
          "if_tsresol 0x"
              + Integer.toHexString(resolution)
              + "; at finest 10^-19 or 2^-63 of a second can be read");
    }
    int inFile = Short.toUnsignedInt(block.getShort(position + INTERFACE_LINK_TYPE_OFFSET));
    interfaces.add(
        new Interface(
            interfaces.size(),
            name,
            inFile,
            LinkType.readable(inFile),
            block.getInt(position + INTERFACE_SNAP_OFFSET),
            fcs,
            ticks));
  }

  private void readPacket(int type, int whole) {
    int at = position;
    int end = at + whole - 4;
    long number = 0;
    if (type == ENHANCED_PACKET) {
      number = Integer.toUnsignedLong(block.getInt(at + PACKET_INTERFACE_OFFSET));
    } else if (type == OLD_PACKET) {
      number = Short.toUnsignedInt(block.getShort(at + PACKET_INTERFACE_OFFSET));
    }
    if (number >= interfaces.size() - firstOfSection) {
      throw damaged(
          "interface "
              + number
              + ", but this section has described "
              + (interfaces.size() - firstOfSection)
              + " before");
    }
    Interface from = interfaces.get(firstOfSection + (int) number);
    if (from.linkType < 0) {
      throw damaged(unreadable(from.inFile));
    }
    boolean simple = type == SIMPLE_PACKET;
    int original = block.getInt(at + (simple ? SIMPLE_LENGTH_OFFSET : PACKET_LENGTH_OFFSET));
    int captured = original;
    if (!simple) {
      captured = block.getInt(at + PACKET_CAPTURED_OFFSET);
    } else if (from.snapLength != 0 && Integer.compareUnsigned(from.snapLength, original) < 0) {
      captured = from.snapLength;
    }
    if (captured < 0 || captured > MAXIMUM_FRAME) {
      throw absurdFrame(Integer.toUnsignedLong(captured));
    }
    int frame = at + (simple ? SIMPLE_FRAME_OFFSET : PACKET_FRAME_OFFSET);
    int options = frame + padded(captured);
    if (options > end) {
      throw damaged(
          captured + " bytes captured in a block that holds " + (end - frame) + " at most");
    }
    optionsOffset = options;
    optionsEnd = simple ? options : end;
    direction = DIRECTION_UNKNOWN;
    fcsLength = from.fcsLength;
    if (optionsOffset < optionsEnd) {
      readPacketOptions();
    }
    if (!simple) {
      long stamp =
          (long) block.getInt(at + PACKET_TIME_HIGH_OFFSET) << 32
              | Integer.toUnsignedLong(block.getInt(at + PACKET_TIME_LOW_OFFSET));
      try {
        timestampNanos = from.ticks.nanos(stamp);
      } catch (ArithmeticException e) {
        throw damaged(
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
    int at = optionsOffset;
    while (optionAt(at, optionsEnd)) {
      int size = Short.toUnsignedInt(block.getShort(at + 2));
      int value = at + OPTION_HEADER;
      if (block.getShort(at) == OPTION_PACKET_FLAGS) {
        int flags = block.getInt(wanted(value, size, 4, "epb_flags"));
        direction = (flags & 3) == 3 ? DIRECTION_UNKNOWN : flags & 3;
        int fcs = flags >>> 5 & 0xf;
        if (fcs != 0) {
          fcsLength = fcs;
        }
      }
      at = value + padded(size);
    }
  }

  /** Whether there is one more option; false at the end of them. */
  private boolean optionAt(int at, int end) {
    if (end - at < OPTION_HEADER) {
      if (end != at) {
        throw damaged("options that end within an option's header");
      }
      return false;
    }
    if (block.getShort(at) == OPTION_END) {
      return false;
    }
    int size = Short.toUnsignedInt(block.getShort(at + 2));
    if (padded(size) > end - at - OPTION_HEADER) {
      throw damaged(
          "an option of " + size + " bytes where " + (end - at - OPTION_HEADER) + " are left");
    }
    return true;
  }

  private int wanted(int value, int size, int right, String option) {
    if (size != right) {
      throw damaged(option + " of " + size + " bytes; " + right + " are needed");
    }
    return value;
  }

  private String text(int at, int size) {
    byte[] bytes = new byte[size];
    block.get(at, bytes);
    int used = size;
    while (used > 0 && bytes[used - 1] == 0) {
      used--;
    }
    return new String(bytes, 0, used, StandardCharsets.UTF_8);
  }

  private static int padded(int size) {
    return size + 3 & ~3;
  }

  /** Lengths of over 2 GiB can only be wrong, but only captured bytes are ever taken. */
  private static int length(int original) {
    return original < 0 ? Integer.MAX_VALUE : original;
  }

  private CaptureException absurdFrame(long captured) {
    return damaged(captured + " bytes captured; at most " + MAXIMUM_FRAME + " are possible");
  }

  /** About the record that begins at the position, and the frame that it would give. */
  private CaptureException damaged(String problem) {
    return new CaptureException(file, blockStart + position, frameNumber + 1, problem);
  }

  /** Whether the file just ends, or a record that needs so many bytes has only begun. */
  private boolean end(int needed) {
    int missing = needed - (limit - position);
    if (limit > position) {
      return cut(blockStart + position, missing);
    }
    return cutCompression && cut(blockStart + position, 1);
  }

  private boolean cut(long start, long missing) {
    truncation = new Truncation(file, frameNumber + 1, start, missing);
    return false;
  }

  /** Reads until so many bytes, at most {@link #BLOCK}, are there from the position on. */
  private boolean available(int bytes) {
    while (limit - position < bytes) {
      if (atEnd) {
        return false;
      }
      if (position > 0) {
        block.limit(limit).position(position).compact().clear();
        blockStart += position;
        limit -= position;
        position = 0;
      }
      try {
        block.limit(BLOCK).position(limit);
        int read = channel.read(block);
        if (read < 0) {
          atEnd = true;
        } else {
          limit += read;
        }
      } catch (EOFException e) {
        // What was uncompressed before the cut is in the buffer already.
        limit = block.position();
        atEnd = true;
        cutCompression = true;
      } catch (ZipException | MalformedInputException e) {
        throw new CaptureException(
            file, blockStart + limit, frameNumber + 1, compression + " damaged: " + e.getMessage());
      } catch (IOException e) {
        throw new CaptureException(
            file, blockStart + limit, frameNumber + 1, "cannot be read: " + e.getMessage());
      } finally {
        block.clear();
      }
    }
    return true;
  }

  /** Nanoseconds since 1970. A frame without a time (pcapng's simple packet) has the last one's. */
  public long timestampNanos() {
    return timestampNanos;
  }

  /** How many bytes of the frame the capture has, the frame check sequence included. */
  public int capturedLength() {
    return capturedLength;
  }

  /** How long the frame was, bytes; what a damaged capture says over 2 GiB is cut to that. */
  public int originalLength() {
    return originalLength;
  }

  /** One of {@link LinkType}; of a pcapng capture only once there is a frame. */
  public int linkType() {
    return on.linkType;
  }

  /** Which interface of the file, from 0; interfaces of later sections come after earlier ones. */
  public int interfaceIndex() {
    return on.index;
  }

  /** The interface's name; empty when the capture has none, as in pcap. */
  public String interfaceName() {
    return on.name;
  }

  /** Bytes of frame check sequence at the frame's end: -1 not known, 0 none, 4 for Ethernet. */
  public int fcsLength() {
    return fcsLength;
  }

  /** {@link #INBOUND}, {@link #OUTBOUND} or {@link #DIRECTION_UNKNOWN}. */
  public int direction() {
    return direction;
  }

  /** The frame's first comment, or null. Decoded at each call. */
  public String comment() {
    int at = optionsOffset;
    while (optionAt(at, optionsEnd)) {
      int size = Short.toUnsignedInt(block.getShort(at + 2));
      if (block.getShort(at) == OPTION_COMMENT) {
        return text(at + OPTION_HEADER, size);
      }
      at += OPTION_HEADER + padded(size);
    }
    return null;
  }

  /** The current frame's number, from 1; 0 before the first. */
  public long frameNumber() {
    return frameNumber;
  }

  /**
   * The memory that the current frame is in, in network order, to look at headers by absolute
   * position from {@link #frameOffset} on. Its position and limit may be changed; what they are is
   * not defined.
   */
  public ByteBuffer buffer() {
    return frames;
  }

  /** Where in {@link #buffer} the current frame begins. */
  public int frameOffset() {
    return frameOffset;
  }

  /**
   * Copies the frame's first bytes.
   *
   * @throws IndexOutOfBoundsException when that is more than was captured, or than fits
   */
  public void copyTo(byte[] target, int targetOffset, int bytes) {
    Objects.checkFromIndexSize(0, bytes, capturedLength);
    block.get(frameOffset, target, targetOffset, bytes);
  }

  /** Where the capture breaks off; null while it has not. */
  public Truncation truncation() {
    return truncation;
  }

  /**
   * How far into the file itself (compressed, where it is) reading has come; for a progress bar.
   */
  public long bytesRead() {
    return compressed == null ? blockStart + position : compressed.read;
  }

  /** The capture's name as the user gave it. */
  public String file() {
    return file;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new CaptureException(file, "cannot be closed: " + e.getMessage());
    }
  }

  /** A compressed file: what was read to look at its first bytes, and the rest of it. */
  private static final class Continued extends InputStream {
    private final byte[] begun;
    private final ReadableByteChannel rest;
    private int used;
    private long read;

    Continued(byte[] begun, ReadableByteChannel rest) {
      this.begun = begun;
      this.rest = rest;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int bytes) throws IOException {
      if (used < begun.length) {
        int copied = Math.min(bytes, begun.length - used);
        System.arraycopy(begun, used, target, offset, copied);
        used += copied;
        read += copied;
        return copied;
      }
      int more = rest.read(ByteBuffer.wrap(target, offset, bytes));
      read += Math.max(more, 0);
      return more;
    }

    /** GZIPInputStream looks for a further member only where it is told that bytes may follow. */
    @Override
    public int available() {
      return 1;
    }

    @Override
    public void close() throws IOException {
      rest.close();
    }
  }
}
