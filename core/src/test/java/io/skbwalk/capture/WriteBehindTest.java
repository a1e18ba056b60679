// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WriteBehindTest {
  @Test
  void doesEveryPieceInOrderInAnotherThread() {
    List<Integer> done = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    try (WriteBehind behind = new WriteBehind(2)) {
      for (int i = 0; i < 1000; i++) {
        int piece = i;
        behind.execute(() -> done.add(piece));
      }
      behind.execute(() -> threads.add(Thread.currentThread()));
      behind.finish();
      assertEquals(IntStream.range(0, 1000).boxed().toList(), done);
      assertNotSame(Thread.currentThread(), threads.get(0));
      behind.execute(() -> threads.add(Thread.currentThread()));
      assertSame(Thread.currentThread(), threads.get(1), "once finished, at once");
    }
  }

  @Test
  void oneProcessorHasNoOther() {
    List<Thread> threads = new ArrayList<>();
    try (WriteBehind behind = new WriteBehind(1)) {
      behind.execute(() -> threads.add(Thread.currentThread()));
      assertEquals(List.of(Thread.currentThread()), threads);
      UncheckedIOException full = new UncheckedIOException(new IOException("full"));
      assertSame(
          full,
          assertThrows(
              UncheckedIOException.class,
              () ->
                  behind.execute(
                      () -> {
                        throw full;
                      })));
    }
  }

  @Test
  void tellsTheFirstFailureToWhoeverHandsOverMore() {
    List<String> done = new ArrayList<>();
    UncheckedIOException full = new UncheckedIOException(new IOException("full"));
    try (WriteBehind behind = new WriteBehind(2)) {
      behind.execute(
          () -> {
            throw full;
          });
      UncheckedIOException told =
          assertThrows(
              UncheckedIOException.class,
              () -> {
                while (true) {
                  behind.execute(() -> done.add("more"));
                }
              });
      assertSame(full, told);
      assertSame(full, assertThrows(UncheckedIOException.class, behind::finish));
    }
  }

  @Test
  void finishingTellsOfTheLastPiece() {
    try (WriteBehind behind = new WriteBehind(2)) {
      behind.execute(
          () -> {
            throw new IllegalStateException("defect");
          });
      assertThrows(IllegalStateException.class, behind::finish);
    }
  }

  @Test
  void closingGivesUpWhatWaits() throws InterruptedException {
    CountDownLatch closing = new CountDownLatch(1);
    List<String> done = new ArrayList<>();
    WriteBehind behind = new WriteBehind(2);
    behind.execute(
        () -> {
          try {
            closing.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    behind.execute(() -> done.add("waiting"));
    // Whoever closes waits for the piece that is being written, but for no other.
    Thread closer = new Thread(behind::close);
    closer.start();
    while (closer.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    closing.countDown();
    closer.join();
    assertEquals(List.of(), done);
  }

  /** A disk that is full from the second block on. */
  private static final class FullDisk implements WritableByteChannel {
    private int blocks;

    @Override
    public int write(ByteBuffer block) throws IOException {
      if (++blocks > 1) {
        throw new IOException("No space left on device");
      }
      int bytes = block.remaining();
      block.position(block.limit());
      return bytes;
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  @Test
  void aCaptureTellsOfAFullDiskThoughAnotherThreadFoundIt() {
    byte[] frame = new byte[60_000];
    WriteBehind behind = new WriteBehind(2);
    CaptureWriter writer = CaptureWriter.pcapng("disk", new FullDisk()).through(behind);
    writer.addInterface("eth0", LinkType.ETHERNET);
    CaptureException told =
        assertThrows(
            CaptureException.class,
            () -> {
              for (int i = 0; i < 10_000; i++) {
                writer.write(0, i, frame);
              }
            });
    assertTrue(
        told.getMessage().contains("cannot be written: No space left on device"),
        told.getMessage());
    behind.close();
    writer.abort();
  }
}
