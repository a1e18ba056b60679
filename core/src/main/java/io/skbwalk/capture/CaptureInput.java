// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import io.airlift.compress.MalformedInputException;
import io.airlift.compress.zstd.ZstdInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * The bytes of a capture, gzip and zstandard around them undone: a window of {@value
 * CaptureReader#BLOCK} bytes that is moved along the file. What is wrong with the file is told with
 * the place in it, and with the frame that would come next.
 */
final class CaptureInput implements AutoCloseable {
  // RFC 1952 section 2.3.1, RFC 8878 section 3.1.1, as read in network order.
  /** A file of so many bytes is read ahead. */
  private static final long LONG = 8 << 20;

  private static final short GZIP_MAGIC = 0x1f8b;
  private static final int ZSTANDARD_MAGIC = 0x28b52ffd;

  /** The capture's name as the user gave it. */
  final String file;

  /** The bytes in the file's own order, always addressed absolutely; valid from 0 to limit. */
  ByteBuffer block = ByteBuffer.allocateDirect(CaptureReader.BLOCK);

  /** The same bytes in network order, for whoever looks at headers. */
  ByteBuffer frames = block.duplicate().order(ByteOrder.BIG_ENDIAN);

  /** Where in {@link #block} the next record begins. */
  int position;

  /** How many frames there have been. */
  long frameNumber;

  private final ReadableByteChannel channel;

  /** Reads in a thread of its own; null while this one reads. */
  private ReadAhead ahead;

  /** The block of {@link #ahead} that is looked at. */
  private ReadAhead.Block current;

  private long blockStart;
  private int limit;
  private boolean atEnd;
  private Continued compressed;
  private String compression = "";
  private boolean cutCompression;
  private Truncation truncation;

  CaptureInput(String file, ReadableByteChannel channel) {
    this.file = Objects.requireNonNull(file);
    this.channel = Objects.requireNonNull(channel);
  }

  /** Goes into gzip or zstandard, where the file is that. */
  void uncompress() {
    if (!available(4) || frames.getShort(0) != GZIP_MAGIC && frames.getInt(0) != ZSTANDARD_MAGIC) {
      return;
    }
    boolean zstandard = frames.getInt(0) == ZSTANDARD_MAGIC;
    byte[] begun = new byte[limit];
    block.get(0, begun);
    compressed = new Continued(begun, channel);
    compression = zstandard ? "zstandard" : "gzip";
    position = 0;
    limit = 0;
    atEnd = false;
    try {
      ahead =
          new ReadAhead(
              Channels.newChannel(
                  zstandard
                      ? new ZstdInputStream(compressed)
                      : new GZIPInputStream(compressed, 64 << 10)));
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

  /**
   * From now on another thread reads, if it is worth one: a file (from a pipe it would keep back
   * what has come until there is more) that is not soon over, on a machine that has a processor to
   * spare.
   */
  void readAhead() {
    try {
      if (ahead == null
          && channel instanceof FileChannel file
          && file.size() >= LONG
          && Runtime.getRuntime().availableProcessors() > 1) {
        ahead = new ReadAhead(channel);
      }
    } catch (IOException e) {
      // Not a file that has a size.
    }
  }

  /**
   * Reads until so many bytes, at most {@link CaptureReader#BLOCK}, are there from the position on.
   */
  boolean available(int bytes) {
    return limit - position >= bytes || read(bytes);
  }

  private boolean read(int bytes) {
    while (limit - position < bytes) {
      if (atEnd) {
        return false;
      }
      try {
        atEnd = !(ahead == null ? fill() : takeNext());
      } catch (EOFException e) {
        // What was uncompressed before the cut was there already.
        atEnd = true;
        cutCompression = true;
      } catch (ZipException | MalformedInputException e) {
        throw new CaptureException(
            file, blockStart + limit, frameNumber + 1, compression + " damaged: " + e.getMessage());
      } catch (IOException e) {
        throw new CaptureException(
            file, blockStart + limit, frameNumber + 1, "cannot be read: " + e.getMessage());
      }
    }
    return true;
  }

  /** Fills the block; false when nothing is left. */
  private boolean fill() throws IOException {
    if (position > 0) {
      block.limit(limit).position(position).compact().clear();
      blockStart += position;
      limit -= position;
      position = 0;
    }
    try {
      int read = channel.read(block.position(limit));
      limit += Math.max(read, 0);
      return read >= 0;
    } finally {
      block.clear();
    }
  }

  /** Goes on in the next block, with the record that has only begun in front of it. */
  private boolean takeNext() throws IOException {
    ReadAhead.Block next = ahead.next();
    if (next == null) {
      return false;
    }
    int left = limit - position;
    int begin = ReadAhead.HEADROOM - left;
    next.bytes.order(block.order()).put(begin, block, position, left);
    blockStart += position - begin;
    position = begin;
    limit = next.limit;
    block = next.bytes;
    frames = next.frames;
    if (current != null) {
      ahead.release(current);
    }
    current = next;
    return true;
  }

  /** Moves the position along; returns how many of so many bytes are not there. */
  long skip(long bytes) {
    long left = bytes;
    while (left > left()) {
      left -= left();
      position = limit;
      if (!available(1)) {
        return left;
      }
    }
    position += (int) left;
    return 0;
  }

  /** How many bytes of the window lie behind the position. */
  int left() {
    return limit - position;
  }

  /** Where in the uncompressed file the position is. */
  long offset() {
    return blockStart + position;
  }

  /** Whether the file just ends, or a record that needs so many bytes has only begun. */
  boolean end(int needed) {
    int missing = needed - (limit - position);
    if (limit > position) {
      return cut(blockStart + position, missing);
    }
    return cutCompression && cut(blockStart + position, 1);
  }

  /** The record that begins at {@code start} breaks off: there is no further frame. */
  boolean cut(long start, long missing) {
    truncation = new Truncation(file, frameNumber + 1, start, missing);
    return false;
  }

  /** Where the capture breaks off; null while it has not. */
  Truncation truncation() {
    return truncation;
  }

  /** About the record that begins at the position, and the frame that it would give. */
  CaptureException damaged(String problem) {
    return damaged(offset(), problem);
  }

  /** About the record that begins at {@code start}. */
  CaptureException damaged(long start, String problem) {
    return new CaptureException(file, start, frameNumber + 1, problem);
  }

  /** The header of the whole file ends early. */
  CaptureException cutHeader(String header) {
    return new CaptureException(
        file, blockStart + limit, 0, "the " + header + " is cut short; no frame can be read");
  }

  /** How far into the file itself (compressed, where it is) reading has come. */
  long bytesRead() {
    return compressed == null ? offset() : compressed.read;
  }

  @Override
  public void close() {
    try {
      if (ahead != null) {
        ahead.close();
      }
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

    /** Asked by another thread than the one that reads. */
    private volatile long read;

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
