// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

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

  private final CaptureInput input;
  private final CaptureFormat format;

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
    input = new CaptureInput(file, channel);
    boolean opened = false;
    try {
      format = format(input);
      opened = true;
    } finally {
      if (!opened) {
        close();
      }
    }
  }

  /** Which format it is, with its file header read. */
  private static CaptureFormat format(CaptureInput input) {
    if (!input.available(1)) {
      throw new CaptureException(input.file, "is empty; a pcap or pcapng file is needed");
    }
    input.uncompress();
    input.readAhead();
    int magic = input.available(4) ? input.frames.getInt(input.position) : 0;
    if (magic == Pcapng.SECTION) {
      return new Pcapng(input);
    }
    if (Pcap.begins(magic)) {
      return new Pcap(input);
    }
    throw new CaptureException(
        input.file,
        0,
        0,
        "is not a capture; a pcap or pcapng file (or one of them in gzip or zstandard) is needed");
  }

  /**
   * Goes to the next frame; what the other methods returned about the last one is no longer valid.
   *
   * @return false at the end, or where the file is cut short
   * @throws CaptureException when the capture is damaged, or a frame's link type is not one of
   *     {@link LinkType}
   */
  public boolean next() {
    return input.truncation() == null && format.next();
  }

  /** Nanoseconds since 1970. A frame without a time (pcapng's simple packet) has the last one's. */
  public long timestampNanos() {
    return format.timestampNanos;
  }

  /** How many bytes of the frame the capture has, the frame check sequence included. */
  public int capturedLength() {
    return format.capturedLength;
  }

  /** How long the frame was, bytes; what a damaged capture says over 2 GiB is cut to that. */
  public int originalLength() {
    return format.originalLength;
  }

  /** One of {@link LinkType}; of a pcapng capture only once there is a frame. */
  public int linkType() {
    return format.on.linkType();
  }

  /** Which interface of the file, from 0; interfaces of later sections come after earlier ones. */
  public int interfaceIndex() {
    return format.on.index();
  }

  /** The interface's name; empty when the capture has none, as in pcap. */
  public String interfaceName() {
    return format.on.name();
  }

  /** Bytes of frame check sequence at the frame's end: -1 not known, 0 none, 4 for Ethernet. */
  public int fcsLength() {
    return format.fcsLength;
  }

  /** {@link #INBOUND}, {@link #OUTBOUND} or {@link #DIRECTION_UNKNOWN}. */
  public int direction() {
    return format.direction;
  }

  /** The frame's first comment, or null. Decoded at each call. */
  public String comment() {
    List<String> comments = format.comments();
    return comments.isEmpty() ? null : comments.get(0);
  }

  /** All comments of the frame. Decoded at each call. */
  public List<String> comments() {
    return format.comments();
  }

  /** The interface of that index, at most the current frame's. */
  CapturedInterface described(int interfaceIndex) {
    return format.described(interfaceIndex);
  }

  /** The current frame's number, from 1; 0 before the first. */
  public long frameNumber() {
    return input.frameNumber;
  }

  /**
   * The memory that the current frame is in, in network order, to look at headers by absolute
   * position from {@link #frameOffset} on. Its position and limit may be changed; what they are is
   * not defined.
   */
  public ByteBuffer buffer() {
    return input.frames;
  }

  /** Where in {@link #buffer} the current frame begins. */
  public int frameOffset() {
    return format.frameOffset;
  }

  /**
   * Copies the frame's first bytes.
   *
   * @throws IndexOutOfBoundsException when that is more than was captured, or than fits
   */
  public void copyTo(byte[] target, int targetOffset, int bytes) {
    Objects.checkFromIndexSize(0, bytes, format.capturedLength);
    input.block.get(format.frameOffset, target, targetOffset, bytes);
  }

  /** Where the capture breaks off; null while it has not. */
  public Truncation truncation() {
    return input.truncation();
  }

  /**
   * How far into the file itself (compressed, where it is) reading has come; for a progress bar.
   */
  public long bytesRead() {
    return input.bytesRead();
  }

  /** The capture's name as the user gave it. */
  public String file() {
    return input.file;
  }

  @Override
  public void close() {
    input.close();
  }
}
