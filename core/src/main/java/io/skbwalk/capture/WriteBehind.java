// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;

/**
 * Writes behind in a thread of its own: what a replay leaves is put into words and into files on
 * another processor than the one that replays. Each piece of work is done after the one before it;
 * what goes wrong reaches whoever hands over one of the next, or finishes.
 *
 * <p>At most {@value #PIECES} pieces wait. Once finished, and from the beginning where there is no
 * other processor, each is done at once by the thread that hands it over.
 */
public final class WriteBehind implements Executor, AutoCloseable {
  private static final int PIECES = 4;

  private static final Runnable END = () -> {};

  private final BlockingQueue<Runnable> pieces = new ArrayBlockingQueue<>(PIECES);

  /** Null when there is none, or none any more. */
  private Thread thread;

  private volatile boolean open = true;

  /** The first thing that went wrong. */
  private volatile Throwable failure;

  /**
   * Begins.
   *
   * @param processors how many there are for this
   */
  public WriteBehind(int processors) {
    if (processors > 1) {
      thread = new Thread(this::write, "output write behind");
      thread.setDaemon(true);
      thread.start();
    }
  }

  private void write() {
    try {
      for (Runnable piece = pieces.take(); piece != END; piece = pieces.take()) {
        if (open) {
          write(piece);
        }
      }
    } catch (InterruptedException e) {
      // Nobody interrupts it; what waits is not wanted then.
    }
  }

  /** Goes on behind a failure, since others of its files may wait for their buffers. */
  private void write(Runnable piece) {
    try {
      piece.run();
    } catch (RuntimeException | Error e) {
      if (failure == null) {
        failure = e;
      }
    }
  }

  /** Hands over a piece of work; waits while too many wait. */
  @Override
  public void execute(Runnable piece) {
    if (thread == null) {
      piece.run();
      return;
    }
    tell();
    put(piece);
  }

  private void put(Runnable piece) {
    try {
      pieces.put(piece);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new InterruptedIOException("interrupted"));
    }
  }

  private void tell() {
    if (failure instanceof Error error) {
      throw error;
    }
    if (failure != null) {
      throw (RuntimeException) failure;
    }
  }

  /** Waits until everything is done. */
  public void finish() {
    end();
    tell();
  }

  private void end() {
    if (thread != null) {
      put(END);
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new UncheckedIOException(new InterruptedIOException("interrupted"));
      }
      thread = null;
    }
  }

  /** Gives up what still waits. */
  @Override
  public void close() {
    open = false;
    end();
  }
}
