// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Objects;

/**
 * Writes a capture by streaming, with times in nanoseconds. A file is written beside its final name
 * as {@code NAME.part}; {@link #close} gives it its name, {@link #abort} deletes it. The bytes
 * depend on what is written only: little endian, no wall clock, no name of a machine. Without a
 * comment nothing is allocated per frame.
 *
 * <p>Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
public abstract sealed class CaptureWriter implements AutoCloseable {
  private static final int BUFFER = 1 << 20;
  private static final long SECOND = 1_000_000_000L;

  private final String name;
  private final Path file;
  private final Path part;
  private final WritableByteChannel channel;
  private boolean closed;

  /** What is not yet in the channel. */
  final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);

  /** The number of frames written, by interface where the format has interfaces. */
  private long written;

  private CaptureWriter(Path file) {
    this.name = file.toString();
    this.file = file;
    this.part = file.resolveSibling(file.getFileName() + ".part");
    try {
      channel =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE);
    } catch (NoSuchFileException e) {
      throw new CaptureException(name, "cannot be written: its folder does not exist");
    } catch (IOException e) {
      throw new CaptureException(name, "cannot be written: " + e.getMessage());
    }
  }

  private CaptureWriter(String name, WritableByteChannel channel) {
    this.name = name;
    this.file = null;
    this.part = null;
    this.channel = channel;
  }

  /**
   * Begins a nanosecond pcap file.
   *
   * @param linkType one of {@link LinkType}, of all frames
   * @throws CaptureException when it cannot be written
   */
  public static CaptureWriter pcap(Path file, int linkType) {
    return new Pcap(file, linkType);
  }

  /** Begins nanosecond pcap in a channel (standard output), which this then owns. */
  public static CaptureWriter pcap(String name, WritableByteChannel channel, int linkType) {
    return new Pcap(name, channel, linkType);
  }

  /**
   * Begins a pcapng file; {@link #addInterface} before the first frame.
   *
   * @throws CaptureException when it cannot be written
   */
  public static CaptureWriter pcapng(Path file) {
    return new Pcapng(file);
  }

  /** Begins pcapng in a channel (standard output), which this then owns. */
  public static CaptureWriter pcapng(String name, WritableByteChannel channel) {
    return new Pcapng(name, channel);
  }

  /**
   * Describes one more interface.
   *
   * @return its index, for {@link #write}
   * @throws UnsupportedOperationException of pcap, which has the one of its beginning, 0
   */
  public abstract int addInterface(String interfaceName, int linkType);

  /**
   * Writes a frame.
   *
   * @param on the interface's index
   * @param nanos since 1970, from 0 on; pcap ends in 2106
   * @param frame its bytes; position and limit are left as they are
   * @param offset where it begins in {@code frame}
   * @param captured bytes, at most {@link CaptureReader#MAXIMUM_FRAME}
   * @param original bytes that it had
   * @param direction {@link CaptureReader#INBOUND}, {@link CaptureReader#OUTBOUND} or {@link
   *     CaptureReader#DIRECTION_UNKNOWN}; pcap has no place for it
   * @param comment or null; pcap has no place for it
   * @throws CaptureException when the file cannot be written
   * @throws IllegalArgumentException for an interface, time or length that cannot be
   */
  public final void write(
      int on,
      long nanos,
      ByteBuffer frame,
      int offset,
      int captured,
      int original,
      int direction,
      String comment) {
    Objects.checkFromIndexSize(offset, captured, frame.capacity());
    check(on, nanos, captured);
    writeHeader(on, nanos, captured, original, direction, comment);
    out.put(out.position(), frame, offset, captured);
    finish(captured, direction, comment);
  }

  /** The same from an array. */
  public final void write(
      int on,
      long nanos,
      byte[] frame,
      int offset,
      int captured,
      int original,
      int direction,
      String comment) {
    Objects.checkFromIndexSize(offset, captured, frame.length);
    check(on, nanos, captured);
    writeHeader(on, nanos, captured, original, direction, comment);
    out.put(out.position(), frame, offset, captured);
    finish(captured, direction, comment);
  }

  /** Writes the whole of an array as a frame. */
  public final void write(int on, long nanos, byte[] frame) {
    write(on, nanos, frame, 0, frame.length, frame.length, CaptureReader.DIRECTION_UNKNOWN, null);
  }

  private void check(int on, long nanos, int captured) {
    if (on < 0 || on >= interfaces()) {
      throw new IllegalArgumentException("interface " + on + " of " + interfaces());
    }
    if (nanos < 0 || captured > CaptureReader.MAXIMUM_FRAME) {
      throw new IllegalArgumentException("time " + nanos + ", " + captured + " bytes");
    }
  }

  private void finish(int captured, int direction, String comment) {
    out.position(out.position() + captured);
    writeEnd(captured, direction, comment);
    written++;
  }

  abstract int interfaces();

  abstract void writeHeader(
      int on, long nanos, int captured, int original, int direction, String comment);

  abstract void writeEnd(int captured, int direction, String comment);

  /** Frames written so far: the number, from 1, of the last one. */
  public final long frames() {
    return written;
  }

  /** Makes room for so many bytes, at most the buffer's size. */
  final void room(int bytes) {
    if (out.remaining() < bytes) {
      flush();
    }
  }

  /** Hands what was written to the system. */
  public final void flush() {
    out.flip();
    try {
      while (out.hasRemaining()) {
        channel.write(out);
      }
    } catch (IOException e) {
      throw new CaptureException(name, "cannot be written: " + e.getMessage());
    } finally {
      out.clear();
    }
  }

  /** Ends the capture and gives the file its name; nothing after {@link #abort}. */
  @Override
  public final void close() {
    if (closed) {
      return;
    }
    boolean whole = false;
    try {
      flush();
      closed = true;
      channel.close();
      if (file != null) {
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      }
      whole = true;
    } catch (IOException e) {
      throw new CaptureException(name, "cannot be written: " + e.getMessage());
    } finally {
      if (!whole) {
        discard();
      }
    }
  }

  /** Gives the capture up and deletes what there is of the file. */
  public final void abort() {
    if (!closed) {
      discard();
    }
  }

  private void discard() {
    closed = true;
    try {
      channel.close();
      if (part != null) {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new CaptureException(name, "its .part cannot be deleted: " + e.getMessage());
    }
  }

  /** For the offsets see {@link CaptureReader}. */
  private static final class Pcap extends CaptureWriter {
    private static final int RECORD_HEADER = 16;

    Pcap(Path file, int linkType) {
      super(file);
      begin(linkType);
    }

    Pcap(String name, WritableByteChannel channel, int linkType) {
      super(name, channel);
      begin(linkType);
    }

    private void begin(int linkType) {
      out.putInt(0xa1b23c4d).putShort((short) 2).putShort((short) 4);
      out.putInt(0).putInt(0).putInt(CaptureReader.MAXIMUM_FRAME).putInt(linkType);
    }

    @Override
    int interfaces() {
      return 1;
    }

    @Override
    public int addInterface(String interfaceName, int linkType) {
      throw new UnsupportedOperationException("pcap has one interface without a name");
    }

    @Override
    void writeHeader(
        int on, long nanos, int captured, int original, int direction, String comment) {
      long seconds = nanos / SECOND;
      if (seconds > 0xffffffffL) {
        throw new IllegalArgumentException("time " + nanos + " is beyond pcap's 2106");
      }
      room(RECORD_HEADER + captured);
      out.putInt((int) seconds).putInt((int) (nanos % SECOND)).putInt(captured).putInt(original);
    }

    @Override
    void writeEnd(int captured, int direction, String comment) {}
  }

  /** For the offsets see {@link CaptureReader}. */
  private static final class Pcapng extends CaptureWriter {
    private static final byte[] APPLICATION = "skbwalk".getBytes(StandardCharsets.US_ASCII);
    private static final int PACKET_OVERHEAD = 32;
    private static final int FLAGS_OPTION = 8;
    private static final int OPTION_END = 4;
    private static final int LONGEST_TEXT = 0xffff;

    private int interfaces;
    private int blockLength;
    private byte[] text;

    Pcapng(Path file) {
      super(file);
      begin();
    }

    Pcapng(String name, WritableByteChannel channel) {
      super(name, channel);
      begin();
    }

    private void begin() {
      int length = 28 + option(APPLICATION.length) + OPTION_END;
      out.putInt(0x0a0d0d0a).putInt(length).putInt(0x1a2b3c4d);
      out.putShort((short) 1).putShort((short) 0).putLong(-1);
      putOption(4, APPLICATION);
      out.putInt(0).putInt(length);
    }

    @Override
    int interfaces() {
      return interfaces;
    }

    @Override
    public int addInterface(String interfaceName, int linkType) {
      byte[] name = interfaceName.getBytes(StandardCharsets.UTF_8);
      int length = 20 + (name.length == 0 ? 0 : option(name.length)) + option(1) + OPTION_END;
      room(length);
      out.putInt(1).putInt(length).putShort((short) linkType).putShort((short) 0);
      out.putInt(CaptureReader.MAXIMUM_FRAME);
      if (name.length > 0) {
        putOption(2, name);
      }
      out.putShort((short) 9).putShort((short) 1).put((byte) 9).put((byte) 0).putShort((short) 0);
      out.putInt(0).putInt(length);
      return interfaces++;
    }

    @Override
    void writeHeader(
        int on, long nanos, int captured, int original, int direction, String comment) {
      text = comment == null ? null : shortened(comment.getBytes(StandardCharsets.UTF_8));
      int options =
          (text == null ? 0 : option(text.length))
              + (direction == CaptureReader.DIRECTION_UNKNOWN ? 0 : FLAGS_OPTION);
      blockLength =
          PACKET_OVERHEAD + (captured + 3 & ~3) + (options == 0 ? 0 : options + OPTION_END);
      room(blockLength);
      out.putInt(6).putInt(blockLength).putInt(on);
      out.putInt((int) (nanos >>> 32)).putInt((int) nanos).putInt(captured).putInt(original);
    }

    @Override
    void writeEnd(int captured, int direction, String comment) {
      pad(captured);
      if (text != null) {
        putOption(1, text);
      }
      if (direction != CaptureReader.DIRECTION_UNKNOWN) {
        out.putShort((short) 2).putShort((short) 4).putInt(direction);
      }
      if (text != null || direction != CaptureReader.DIRECTION_UNKNOWN) {
        out.putInt(0);
      }
      out.putInt(blockLength);
    }

    /** As long as an option can be, not cut within a character. */
    private static byte[] shortened(byte[] text) {
      int used = Math.min(text.length, LONGEST_TEXT);
      while (used < text.length && (text[used] & 0xc0) == 0x80) {
        used--;
      }
      return used == text.length ? text : Arrays.copyOf(text, used);
    }

    private static int option(int length) {
      return 4 + (length + 3 & ~3);
    }

    private void putOption(int code, byte[] value) {
      out.putShort((short) code).putShort((short) value.length).put(value);
      pad(value.length);
    }

    private void pad(int length) {
      for (int i = length; (i & 3) != 0; i++) {
        out.put((byte) 0);
      }
    }
  }
}
