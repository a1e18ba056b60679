// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Reads a channel ahead in a thread of its own: a capture is read, and uncompressed, on another
 * processor than the one that replays it. Whoever asks gets the same bytes, and what goes wrong at
 * the same byte.
 *
 * <p>At most {@value #BLOCKS} blocks of {@value #LENGTH} bytes wait.
 */
final class ReadAhead implements Closeable {
  /** Bytes in front of each block, where the begin of a record can be put whose rest is in it. */
  static final int HEADROOM = CaptureReader.BLOCK;

  private static final int BLOCKS = 4;

  /** So many that waking the other thread costs nothing that one sees. */
  private static final int LENGTH = 1 << 20;

  /** So many bytes of the source, and how it went on behind them. */
  static final class Block {
    /** From {@link #HEADROOM} to {@link #limit}. */
    final ByteBuffer bytes = ByteBuffer.allocateDirect(HEADROOM + LENGTH);

    /** The same bytes in network order. */
    final ByteBuffer frames = bytes.duplicate().order(ByteOrder.BIG_ENDIAN);

    int limit;
    private boolean isLast;
    private Exception failure;
  }

  private final ReadableByteChannel source;
  private final BlockingQueue<Block> empty = new ArrayBlockingQueue<>(BLOCKS);
  private final BlockingQueue<Block> filled = new ArrayBlockingQueue<>(BLOCKS);
  private final Thread thread = new Thread(this::fill, "capture read ahead");
  private volatile boolean open = true;

  /** The block behind which nothing comes, once it has come. */
  private Block last;

  /** Takes the source over and begins to read. */
  ReadAhead(ReadableByteChannel source) {
    this.source = source;
    thread.setDaemon(true);
    thread.start();
  }

  private void fill() {
    try (source) {
      int made = 0;
      boolean more = true;
      while (more && open) {
        Block block = empty.poll();
        if (block == null && made < BLOCKS) {
          block = new Block();
          made++;
        }
        if (block == null) {
          block = empty.take();
        }
        fill(block);
        more = !block.isLast;
        filled.put(block);
      }
    } catch (InterruptedException | IOException e) {
      // Closed; nobody waits for what would have come.
    }
  }

  private void fill(Block block) {
    ByteBuffer bytes = block.bytes.clear().position(HEADROOM);
    try {
      while (!block.isLast && bytes.hasRemaining()) {
        block.isLast = source.read(bytes) < 0;
      }
    } catch (IOException | RuntimeException e) {
      block.failure = e;
      block.isLast = true;
    }
    block.limit = bytes.position();
    bytes.clear();
  }

  /**
   * The bytes that come next.
   *
   * @return null behind the last
   * @throws IOException what the source has thrown behind the bytes of the block before
   */
  Block next() throws IOException {
    if (last == null) {
      try {
        Block next = filled.take();
        last = next.isLast ? next : null;
        if (next.limit > HEADROOM) {
          return next;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
    if (last.failure instanceof IOException failure) {
      throw failure;
    }
    if (last.failure != null) {
      throw (RuntimeException) last.failure;
    }
    return null;
  }

  /** Nobody looks at the block any more. */
  void release(Block block) {
    empty.add(block);
  }

  @Override
  public void close() {
    open = false;
    thread.interrupt();
  }
}
