// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What another thread reads ahead is what one would have read oneself, down to where it breaks. */
class ReadAheadTest {
  private static final int FRAMES = 2_500;

  @TempDir Path folder;

  private byte[] capture(boolean ng) throws IOException {
    Path file = folder.resolve("long." + (ng ? "pcapng" : "pcap"));
    Random random = new Random(1);
    try (CaptureWriter writer = ng ? CaptureWriter.pcapng(file) : CaptureWriter.pcap(file, 1)) {
      int on = ng ? writer.addInterface("eth0", 1) : 0;
      for (int i = 0; i < FRAMES; i++) {
        // Some do not fit into a block of what is read ahead.
        byte[] frame = new byte[i % 100 == 99 ? 200_000 + random.nextInt(60_000) : 14 + i];
        random.nextBytes(frame);
        writer.write(on, 1_767_225_600_000_000_000L + i, frame);
      }
    }
    return Files.readAllBytes(file);
  }

  private static List<String> told(CaptureReader reader) {
    List<String> told = new ArrayList<>();
    CRC32 sum = new CRC32();
    byte[] frame = new byte[CaptureReader.MAXIMUM_FRAME];
    try (reader) {
      while (reader.next()) {
        reader.copyTo(frame, 0, reader.capturedLength());
        sum.reset();
        sum.update(frame, 0, reader.capturedLength());
        told.add(reader.frameNumber() + " " + reader.timestampNanos() + " " + sum.getValue());
      }
      told.add(String.valueOf(reader.truncation()));
    } catch (CaptureException e) {
      told.add(e.getMessage());
    }
    return told;
  }

  private void assertSame(byte[] bytes) throws IOException {
    Path file = folder.resolve("capture");
    Files.write(file, bytes);
    List<String> ahead = told(CaptureReader.open(file));
    List<String> plain =
        told(
            new CaptureReader(
                file.toString(), Channels.newChannel(new ByteArrayInputStream(bytes))));
    assertEquals(plain, ahead);
    assertTrue(plain.size() > FRAMES / 2, "so few: " + plain.size());
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLongFile(boolean ng) throws IOException {
    byte[] bytes = capture(ng);
    assertTrue(bytes.length > 8 << 20, "long enough to be read ahead");
    assertSame(bytes);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLongFileThatBreaksOff(boolean ng) throws IOException {
    byte[] bytes = capture(ng);
    Random random = new Random(2);
    for (int i = 0; i < 10; i++) {
      assertSame(Arrays.copyOf(bytes, bytes.length - random.nextInt(300_000)));
    }
  }

  @Test
  void aLongFileThatIsDamaged() throws IOException {
    byte[] bytes = capture(true);
    int at = bytes.length - 4;
    bytes[at] ^= 1;
    assertSame(bytes);
  }

  @Test
  void whoStopsReadingEndsTheThread() throws IOException, InterruptedException {
    Path file = folder.resolve("capture");
    Files.write(file, capture(false));
    try (CaptureReader reader = CaptureReader.open(file)) {
      assertTrue(reader.next());
    }
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("capture read ahead")) {
        thread.join(10_000);
        assertEquals(Thread.State.TERMINATED, thread.getState());
      }
    }
  }
}
