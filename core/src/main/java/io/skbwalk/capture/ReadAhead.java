// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Reads a channel ahead in a thread of its own: a capture is uncompressed on another processor than
 * the one that replays it. Whoever reads gets the same bytes, and what goes wrong at the same byte.
 *
 * <p>At most {@value #BLOCKS} blocks of {@value #BLOCK} bytes wait.
 */
final class ReadAhead implements ReadableByteChannel {
  private static final int BLOCKS = 4;
  private static final int BLOCK = 256 << 10;

  /** So many bytes of the source, and how it went on behind them. */
  private static final class Block {
    final ByteBuffer bytes = ByteBuffer.allocate(BLOCK);
    boolean atEnd;
    Exception failure;
  }

  private final ReadableByteChannel source;
  private final BlockingQueue<Block> empty = new ArrayBlockingQueue<>(BLOCKS);
  private final BlockingQueue<Block> filled = new ArrayBlockingQueue<>(BLOCKS);
  private final Thread thread = new Thread(this::fill, "capture read ahead");
  private volatile boolean open = true;
  private Block current;

  /** Takes the source over and begins to read. */
  ReadAhead(ReadableByteChannel source) {
    this.source = source;
    for (int i = 0; i < BLOCKS; i++) {
      empty.add(new Block());
    }
    thread.setDaemon(true);
    thread.start();
  }

  private void fill() {
    try (source) {
      boolean more = true;
      while (more && open) {
        Block block = empty.take();
        block.bytes.clear();
        more = fill(block);
        block.bytes.flip();
        filled.put(block);
      }
    } catch (InterruptedException | IOException e) {
      // Closed; nobody waits for what would have come.
    }
  }

  /** False when nothing comes behind it. */
  private boolean fill(Block block) {
    try {
      while (block.bytes.hasRemaining()) {
        if (source.read(block.bytes) < 0) {
          block.atEnd = true;
          return false;
        }
      }
      return true;
    } catch (IOException | RuntimeException e) {
      block.failure = e;
      return false;
    }
  }

  @Override
  public int read(ByteBuffer target) throws IOException {
    try {
      if (current == null) {
        current = filled.take();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    ByteBuffer bytes = current.bytes;
    if (!bytes.hasRemaining()) {
      if (current.failure instanceof IOException failure) {
        throw failure;
      }
      if (current.failure != null) {
        throw (RuntimeException) current.failure;
      }
      return -1;
    }
    int count = Math.min(bytes.remaining(), target.remaining());
    target.put(target.position(), bytes, bytes.position(), count);
    target.position(target.position() + count);
    bytes.position(bytes.position() + count);
    if (!bytes.hasRemaining() && !current.atEnd && current.failure == null) {
      empty.add(current);
      current = null;
    }
    return count;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void close() {
    open = false;
    thread.interrupt();
  }
}
