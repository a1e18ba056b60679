// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import static io.skbwalk.capture.CaptureBytes.T;
import static io.skbwalk.capture.CaptureBytes.frame;
import static io.skbwalk.capture.CaptureBytes.line;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.TextBytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CaptureWriterTest {
  @TempDir Path folder;

  private static void fill(CaptureWriter writer) {
    writer.addInterface("eth0", LinkType.ETHERNET);
    writer.addInterface("tun0", LinkType.RAW);
    writer.write(0, T, frame(1), 0, 15, 22, 0, null);
    TextBytes comment = new TextBytes(4).append("grün");
    writer.write(1, T + 1, ByteBuffer.wrap(frame(2)), 0, 16, 23, CaptureReader.OUTBOUND, comment);
  }

  @Test
  void pcapngIsReadAsItWasWritten() throws Exception {
    Path file = folder.resolve("a.pcapng");
    try (CaptureWriter writer = CaptureWriter.pcapng(file)) {
      fill(writer);
      writer.flush();
      assertFalse(Files.exists(file));
      assertTrue(Files.exists(folder.resolve("a.pcapng.part")));
    }
    assertFalse(Files.exists(folder.resolve("a.pcapng.part")));
    try (CaptureReader reader = CaptureReader.open(file)) {
      assertEquals(
          List.of(
              line(1, "0/eth0", T, 1, -1, 0, null, frame(1)),
              line(2, "1/tun0", T + 1, 101, -1, 2, "grün", frame(2))),
          CaptureBytes.told(reader));
    }
    Path again = folder.resolve("b.pcapng");
    try (CaptureWriter writer = CaptureWriter.pcapng(again)) {
      fill(writer);
    }
    assertArrayEquals(Files.readAllBytes(file), Files.readAllBytes(again));
  }

  @Test
  void pcapIsReadAsItWasWritten() {
    Path file = folder.resolve("a.pcap");
    try (CaptureWriter writer = CaptureWriter.pcap(file, LinkType.ETHERNET)) {
      writer.write(0, T, frame(1), 0, 15, 22, 0, null);
    }
    try (CaptureReader reader = CaptureReader.open(file)) {
      assertEquals(List.of(line(1, "0/", T, 1, -1, 0, null, frame(1))), CaptureBytes.told(reader));
    }
  }

  @Test
  void interfacesAndFramesOfACaptureAreWrittenOnceMore() throws Exception {
    for (ByteOrder order : List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN)) {
      Path file = folder.resolve("again.pcapng");
      try (CaptureReader reader = CaptureBytes.reader(CaptureBytes.rich(order));
          CaptureWriter writer = CaptureWriter.pcapng(file)) {
        for (int interfaces = 0; reader.next(); ) {
          while (interfaces <= reader.interfaceIndex()) {
            writer.addInterface(reader, interfaces++, "unnamed");
          }
          byte[] frame = new byte[reader.capturedLength()];
          reader.copyTo(frame, 0, frame.length);
          writer.write(
              reader.interfaceIndex(),
              reader.timestampNanos(),
              frame,
              reader.originalLength(),
              reader.direction(),
              reader.fcsLength(),
              reader.comments());
        }
      }
      try (CaptureReader reader = CaptureReader.open(file)) {
        assertEquals(CaptureBytes.richTold(), CaptureBytes.told(reader));
      }
    }
  }

  @Test
  void aPcapsInterfaceKeepsItsSnapshotLengthAndLinkType() {
    Path file = folder.resolve("again.pcapng");
    byte[] pcap =
        new CaptureBytes(ByteOrder.BIG_ENDIAN)
            .pcap(0xa1b2c3d4L, 12 | 1L << 26 | 2L << 28)
            .record(1, 2, frame(1))
            .bytes();
    try (CaptureReader reader = CaptureBytes.reader(pcap);
        CaptureWriter writer = CaptureWriter.pcapng(file)) {
      assertTrue(reader.next());
      writer.addInterface(reader, 0, "tun0");
      writer.write(0, reader.timestampNanos(), frame(1), 15, 0, -1, List.of("one", "two"));
    }
    try (CaptureReader reader = CaptureReader.open(file)) {
      assertTrue(reader.next());
      CapturedInterface on = reader.described(0);
      assertEquals("tun0", on.name());
      assertEquals(12, on.inFile());
      assertEquals(65535, on.snapLength());
      assertEquals(4, on.fcsLength());
      assertEquals(List.of("one", "two"), reader.comments());
    }
  }

  @Test
  void anAbortedCaptureLeavesNothing() throws Exception {
    CaptureWriter writer = CaptureWriter.pcapng(folder.resolve("a.pcapng"));
    fill(writer);
    writer.abort();
    writer.close();
    try (var files = Files.list(folder)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void capturesMergeByTimeAndKeepTheirOrderAtEqualTimes() {
    long[][] times = {{5, 7, 6, 9}, {1, 5, 8}, {}, {5}};
    List<CaptureReader> readers = new ArrayList<>();
    for (int i = 0; i < times.length; i++) {
      Path file = folder.resolve(i + ".pcap");
      try (CaptureWriter writer = CaptureWriter.pcap(file, LinkType.ETHERNET)) {
        for (long time : times[i]) {
          writer.write(0, time, frame(1));
        }
      }
      readers.add(CaptureReader.open(file));
    }
    List<String> order = new ArrayList<>();
    try (CaptureMerger merger = new CaptureMerger(readers)) {
      while (merger.next()) {
        order.add(merger.index() + ":" + merger.current().timestampNanos());
      }
      assertFalse(merger.next());
    }
    assertEquals(List.of("1:1", "0:5", "1:5", "3:5", "0:7", "0:6", "1:8", "0:9"), order);
  }
}
