// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import io.skbwalk.lib.TextBytes;
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
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;

/**
 * Writes a capture by streaming, with times in nanoseconds. A file is written beside its final name
 * as {@code NAME.part}; {@link #close} gives it its name, {@link #abort} deletes it. The bytes
 * depend on what is written only: little endian, no wall clock, no name of a machine. Nothing is
 * allocated per frame, unless it has several comments.
 *
 * <p>Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
public abstract sealed class CaptureWriter implements AutoCloseable {
  private static final int BUFFER = 1 << 20;

  /** How many there are at most, when another thread writes them. */
  private static final int BUFFERS = 2;

  private static final long SECOND = 1_000_000_000L;

  private final String name;
  private final Path file;
  private final Path part;
  private final WritableByteChannel channel;
  private boolean closed;

  /** What is not yet in the channel. */
  ByteBuffer out = buffer();

  /** Those that have been put into the channel. */
  private final BlockingQueue<ByteBuffer> empty = new ArrayBlockingQueue<>(BUFFERS);

  private int buffers = 1;
  private Executor behind = Runnable::run;

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

  private static ByteBuffer buffer() {
    return ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
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
   * Lets another thread put what is written here into the file. It must be finished, or closed,
   * before this is.
   */
  public final CaptureWriter through(WriteBehind thread) {
    behind = thread;
    return this;
  }

  /**
   * Describes one more interface.
   *
   * @return its index, for {@link #write}
   * @throws UnsupportedOperationException of pcap, which has the one of its beginning, 0
   */
  public abstract int addInterface(String interfaceName, int linkType);

  /**
   * Describes an interface of a capture once more: its name, link type, snapshot length and frame
   * check sequence.
   *
   * @param interfaceIndex at most that of the reader's current frame
   * @param otherwise its name when it has none there
   * @return its index, for {@link #write}
   * @throws UnsupportedOperationException of pcap, which has the one of its beginning, 0
   */
  public final int addInterface(CaptureReader reader, int interfaceIndex, String otherwise) {
    CapturedInterface on = reader.described(interfaceIndex);
    return addInterface(
        on.name().isEmpty() ? otherwise : on.name(), on.inFile(), on.snapLength(), on.fcsLength());
  }

  abstract int addInterface(String interfaceName, int linkType, int snapLength, int fcsLength);

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
      TextBytes comment) {
    Objects.checkFromIndexSize(offset, captured, frame.capacity());
    check(on, nanos, captured);
    begin(on, nanos, captured, original, direction, -1, comment, List.of());
    out.put(out.position(), frame, offset, captured);
    finish(captured);
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
      TextBytes comment) {
    Objects.checkFromIndexSize(offset, captured, frame.length);
    check(on, nanos, captured);
    begin(on, nanos, captured, original, direction, -1, comment, List.of());
    out.put(out.position(), frame, offset, captured);
    finish(captured);
  }

  /**
   * Writes the whole of an array as a frame, with several comments.
   *
   * @param fcsLength bytes of frame check sequence at its end; -1 as of its interface
   * @param comments in their order; pcap has no place for them
   */
  public final void write(
      int on,
      long nanos,
      byte[] frame,
      int original,
      int direction,
      int fcsLength,
      List<String> comments) {
    check(on, nanos, frame.length);
    begin(on, nanos, frame.length, original, direction, fcsLength, null, comments);
    out.put(out.position(), frame, 0, frame.length);
    finish(frame.length);
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

  private void finish(int captured) {
    out.position(out.position() + captured);
    writeEnd(captured);
    written++;
  }

  abstract int interfaces();

  abstract void begin(
      int on,
      long nanos,
      int captured,
      int original,
      int direction,
      int fcsLength,
      TextBytes comment,
      List<String> comments);

  abstract void writeEnd(int captured);

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

  /** Hands what was written to the system, or to the thread that does. */
  public final void flush() {
    ByteBuffer full = out.flip();
    behind.execute(() -> put(full));
    try {
      out = empty.poll();
      if (out == null) {
        out = buffers++ < BUFFERS ? buffer() : empty.take();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CaptureException(name, "cannot be written: interrupted");
    }
  }

  private void put(ByteBuffer full) {
    try {
      while (full.hasRemaining()) {
        channel.write(full);
      }
    } catch (IOException e) {
      throw new CaptureException(name, "cannot be written: " + e.getMessage());
    } finally {
      empty.add(full.clear());
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
    int addInterface(String interfaceName, int linkType, int snapLength, int fcsLength) {
      return addInterface(interfaceName, linkType);
    }

    @Override
    void begin(
        int on,
        long nanos,
        int captured,
        int original,
        int direction,
        int fcsLength,
        TextBytes comment,
        List<String> comments) {
      long seconds = nanos / SECOND;
      if (seconds > 0xffffffffL) {
        throw new IllegalArgumentException("time " + nanos + " is beyond pcap's 2106");
      }
      room(RECORD_HEADER + captured);
      out.putInt((int) seconds).putInt((int) (nanos % SECOND)).putInt(captured).putInt(original);
    }

    @Override
    void writeEnd(int captured) {}
  }

  /** For the offsets see {@link CaptureReader}. */
  private static final class Pcapng extends CaptureWriter {
    private static final byte[] APPLICATION = "skbwalk".getBytes(StandardCharsets.US_ASCII);
    private static final int PACKET_OVERHEAD = 32;
    private static final int FLAGS_OPTION = 8;
    private static final int OPTION_END = 4;
    private static final int LONGEST_TEXT = 0xffff;

    private static final byte[][] NO_TEXTS = {};

    private int interfaces;
    private int[] fcsLengths = new int[4];

    // Of the frame that is being written.
    private int blockLength;
    private TextBytes comment;
    private int commentLength;
    private byte[][] texts;
    private int flags;

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
      putOption(4, APPLICATION, APPLICATION.length);
      out.putInt(0).putInt(length);
    }

    @Override
    int interfaces() {
      return interfaces;
    }

    @Override
    public int addInterface(String interfaceName, int linkType) {
      return addInterface(interfaceName, linkType, CaptureReader.MAXIMUM_FRAME, -1);
    }

    @Override
    int addInterface(String interfaceName, int linkType, int snapLength, int fcsLength) {
      byte[] name = interfaceName.getBytes(StandardCharsets.UTF_8);
      int length =
          20
              + (name.length == 0 ? 0 : option(name.length))
              + option(1)
              + (fcsLength < 0 ? 0 : option(1))
              + OPTION_END;
      room(length);
      out.putInt(1).putInt(length).putShort((short) linkType).putShort((short) 0);
      out.putInt(snapLength);
      if (name.length > 0) {
        putOption(2, name, name.length);
      }
      putByteOption(9, 9);
      if (fcsLength >= 0) {
        putByteOption(13, fcsLength);
      }
      out.putInt(0).putInt(length);
      if (interfaces == fcsLengths.length) {
        fcsLengths = Arrays.copyOf(fcsLengths, 2 * interfaces);
      }
      fcsLengths[interfaces] = fcsLength;
      return interfaces++;
    }

    @Override
    void begin(
        int on,
        long nanos,
        int captured,
        int original,
        int direction,
        int fcsLength,
        TextBytes comment,
        List<String> comments) {
      this.comment = comment;
      commentLength = comment == null ? 0 : shortened(comment.bytes, comment.length);
      texts = texts(comments);
      boolean ownFcs = fcsLength > 0 && fcsLength != fcsLengths[on];
      flags = direction | (ownFcs ? fcsLength << 5 : 0);
      int options = flags == 0 ? 0 : FLAGS_OPTION;
      options += comment == null ? 0 : option(commentLength);
      for (byte[] text : texts) {
        options += option(text.length);
      }
      blockLength =
          PACKET_OVERHEAD + (captured + 3 & ~3) + (options == 0 ? 0 : options + OPTION_END);
      room(blockLength);
      out.putInt(6).putInt(blockLength).putInt(on);
      out.putInt((int) (nanos >>> 32)).putInt((int) nanos).putInt(captured).putInt(original);
    }

    @Override
    void writeEnd(int captured) {
      pad(captured);
      if (comment != null) {
        putOption(1, comment.bytes, commentLength);
      }
      for (byte[] text : texts) {
        putOption(1, text, text.length);
      }
      if (flags != 0) {
        out.putShort((short) 2).putShort((short) 4).putInt(flags);
      }
      if (comment != null || texts.length > 0 || flags != 0) {
        out.putInt(0);
      }
      out.putInt(blockLength);
    }

    private static byte[][] texts(List<String> comments) {
      if (comments.isEmpty()) {
        return NO_TEXTS;
      }
      byte[][] texts = new byte[comments.size()][];
      for (int i = 0; i < texts.length; i++) {
        byte[] text = comments.get(i).getBytes(StandardCharsets.UTF_8);
        int used = shortened(text, text.length);
        texts[i] = used == text.length ? text : Arrays.copyOf(text, used);
      }
      return texts;
    }

    /** As long as an option can be, not cut within a character. */
    private static int shortened(byte[] text, int length) {
      int used = Math.min(length, LONGEST_TEXT);
      while (used < length && (text[used] & 0xc0) == 0x80) {
        used--;
      }
      return used;
    }

    private static int option(int length) {
      return 4 + (length + 3 & ~3);
    }

    private void putOption(int code, byte[] value, int length) {
      out.putShort((short) code).putShort((short) length).put(value, 0, length);
      pad(length);
    }

    private void putByteOption(int code, int value) {
      out.putShort((short) code).putShort((short) 1).put((byte) value);
      pad(1);
    }

    private void pad(int length) {
      for (int i = length; (i & 3) != 0; i++) {
        out.put((byte) 0);
      }
    }
  }
}
