// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import static io.skbwalk.capture.CaptureBytes.T;
import static io.skbwalk.capture.CaptureBytes.frame;
import static io.skbwalk.capture.CaptureBytes.line;
import static io.skbwalk.capture.CaptureBytes.reader;
import static io.skbwalk.capture.CaptureBytes.told;
import static java.nio.ByteOrder.BIG_ENDIAN;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.pcap4j.core.PcapHandle;
import org.pcap4j.core.PcapHandle.TimestampPrecision;
import org.pcap4j.core.Pcaps;

class CaptureReaderTest {
  private static final long S = T / 1_000_000_000L;
  private static final long N = T % 1_000_000_000L;

  @TempDir Path folder;

  private static CaptureBytes little() {
    return new CaptureBytes(LITTLE_ENDIAN);
  }

  private static CaptureBytes big() {
    return new CaptureBytes(BIG_ENDIAN);
  }

  static byte[] pcap(ByteOrder order, boolean nano, long linkType) {
    return new CaptureBytes(order)
        .pcap(nano ? 0xa1b23c4dL : 0xa1b2c3d4L, linkType)
        .record(S, nano ? N : N / 1000, frame(1))
        .record(S, nano ? N + 1000 : N / 1000 + 1, frame(6))
        .bytes();
  }

  private static List<String> pcapTold(boolean nano, int link, int fcs) {
    long first = nano ? T : T / 1000 * 1000;
    return List.of(
        line(1, "0/", first, link, fcs, 0, null, frame(1)),
        line(2, "0/", first + 1000, link, fcs, 0, null, frame(6)));
  }

  private static byte[] ticking(int resolution, long stamp) {
    CaptureBytes made = little().section();
    made.face(1, 0, made.body().option(9, new byte[] {(byte) resolution}));
    return made.packet(0, stamp, frame(2), made.body()).bytes();
  }

  private static byte[] twoSections() {
    CaptureBytes made = little().section();
    made.face(1, 0, made.body().option(2, CaptureBytes.text("a")));
    made.packet(0, 7, frame(1), made.body());
    made.order(BIG_ENDIAN).section();
    made.face(228, 0, made.body().option(2, CaptureBytes.text("b")));
    return made.packet(0, 8, frame(2), made.body()).bytes();
  }

  private static byte[] simple(int snap) {
    CaptureBytes made = big().section().face(1, snap, big());
    return made.block(3, made.body().u32(frame(5).length).raw(frame(5)).bytes()).bytes();
  }

  private static byte[] old() {
    CaptureBytes made = big().section().face(1, 0, big());
    CaptureBytes body = made.body().u16(0, 9).u32(0, 5, frame(2).length, frame(2).length + 7);
    return made.block(2, body.raw(frame(2)).bytes()).bytes();
  }

  static Stream<Arguments> captures() {
    List<Arguments> cases = new ArrayList<>();
    for (ByteOrder order : List.of(LITTLE_ENDIAN, BIG_ENDIAN)) {
      for (boolean nano : List.of(true, false)) {
        cases.add(
            Arguments.of("pcap " + order + nano, pcap(order, nano, 1), pcapTold(nano, 1, -1)));
      }
      cases.add(Arguments.of(order, CaptureBytes.rich(order), CaptureBytes.richTold()));
      cases.add(
          Arguments.of(
              "gzip " + order,
              CaptureBytes.gzip(CaptureBytes.rich(order)),
              CaptureBytes.richTold()));
    }
    cases.add(Arguments.of("FCS 4", pcap(LITTLE_ENDIAN, true, 0x24000001L), pcapTold(true, 1, 4)));
    cases.add(Arguments.of("FCS 0", pcap(LITTLE_ENDIAN, true, 0x04000001L), pcapTold(true, 1, 0)));
    for (int link : List.of(12, 14, 101)) {
      cases.add(
          Arguments.of("link " + link, pcap(BIG_ENDIAN, true, link), pcapTold(true, 101, -1)));
    }
    for (int link : List.of(113, 228, 276)) {
      cases.add(
          Arguments.of("link " + link, pcap(BIG_ENDIAN, true, link), pcapTold(true, link, -1)));
    }
    cases.add(
        Arguments.of(
            "two members of gzip",
            joined(
                CaptureBytes.gzip(Arrays.copyOf(pcap(LITTLE_ENDIAN, true, 1), 30)),
                CaptureBytes.gzip(
                    Arrays.copyOfRange(
                        pcap(LITTLE_ENDIAN, true, 1), 30, pcap(LITTLE_ENDIAN, true, 1).length))),
            pcapTold(true, 1, -1)));
    cases.add(
        Arguments.of(
            "two sections",
            twoSections(),
            List.of(
                line(1, "0/a", 7000, 1, -1, 0, null, frame(1)),
                line(2, "1/b", 8000, 228, -1, 0, null, frame(2)))));
    cases.add(
        Arguments.of(
            "simple packet",
            simple(0),
            List.of(line(1, "0/", 0, 1, -1, 0, null, frame(5)).replace("of 26", "of 19"))));
    cases.add(
        Arguments.of(
            "simple packet, cut to the snapshot length",
            simple(16),
            List.of(
                line(1, "0/", 0, 1, -1, 0, null, Arrays.copyOf(frame(5), 16))
                    .replace("of 23", "of 19"))));
    cases.add(
        Arguments.of(
            "packet block", old(), List.of(line(1, "0/", 5000, 1, -1, 0, null, frame(2)))));
    return cases.stream();
  }

  private static byte[] joined(byte[] one, byte[] other) {
    return little().raw(one).raw(other).bytes();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("captures")
  void framesAreRead(Object name, byte[] capture, List<String> frames) {
    try (CaptureReader reader = reader(capture)) {
      assertEquals(frames, told(reader));
      assertNull(reader.truncation());
      assertFalse(reader.next());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "0x00, 5, 5000000000",
    "0x03, 5, 5000000",
    "0x06, 5, 5000",
    "0x09, 5, 5",
    "0x0c, 5999, 5",
    "0x13, 50000000000, 5",
    "0x80, 5, 5000000000",
    "0x81, 3, 1500000000",
    "0xa0, 0x180000000, 1500000000",
    "0xbf, 0x4000000000000000, 500000000",
    "0xbf, 0x7fffffffffffffff, 999999999",
    "0x93, 0x7fffff, 15999998092",
  })
  void ticksBecomeNanoseconds(String resolution, String stamp, long nanos) {
    try (CaptureReader reader = reader(ticking(Integer.decode(resolution), Long.decode(stamp)))) {
      assertTrue(reader.next());
      assertEquals(nanos, reader.timestampNanos());
    }
  }

  static Stream<Arguments> wrong() {
    CaptureBytes begun = little().section().face(1, 0, little());
    byte[] header = little().pcap(0xa1b2c3d4L, 1).bytes();
    return Stream.of(
        Arguments.of(new byte[0], "test.pcap: is empty; a pcap or pcapng file is needed"),
        Arguments.of(
            CaptureBytes.text("*filter\n"),
            "test.pcap: byte 0: is not a capture; a pcap or pcapng file (or one of them in gzip or"
                + " zstandard) is needed"),
        Arguments.of(
            Arrays.copyOf(header, 23),
            "test.pcap: byte 23: the pcap file header is cut short; no frame can be read"),
        Arguments.of(
            pcap(LITTLE_ENDIAN, false, 105),
            "test.pcap: byte 20: link type 105 (IEEE 802.11); " + LinkType.READABLE),
        Arguments.of(
            little().raw(header).u32(0, 0, 262145, 262145).bytes(),
            "test.pcap: frame 1 at byte 24: 262145 bytes captured; at most 262144 are possible"),
        Arguments.of(
            little().raw(header).u32(0, 0, -1, -1).bytes(),
            "test.pcap: frame 1 at byte 24: 4294967295 bytes captured; at most 262144 are"
                + " possible"),
        Arguments.of(
            little().raw(begun.bytes()).u32(77, 13, 0, 0).bytes(),
            "test.pcap: frame 1 at byte 48: block length 13; a multiple of 4 of at least 12 is"
                + " needed"),
        Arguments.of(
            little().raw(begun.bytes()).u32(77, 0, 0, 0).bytes(),
            "test.pcap: frame 1 at byte 48: block length 0; a multiple of 4 of at least 12 is"
                + " needed"),
        Arguments.of(
            little().raw(begun.bytes()).u32(6, 0xfffffffcL, 0, 0).bytes(),
            "test.pcap: frame 1 at byte 48: block length 4294967292; at most 1048576 is possible"
                + " here"),
        Arguments.of(
            little().raw(begun.bytes()).u32(77, 12, 16).bytes(),
            "test.pcap: frame 1 at byte 48: block length 12 at its begin, 16 at its end"),
        Arguments.of(
            little().raw(begun.bytes()).packet(1, 0, frame(1), little()).bytes(),
            "test.pcap: frame 1 at byte 48: interface 1, but this section has described 1 before"),
        Arguments.of(
            little()
                .raw(begun.bytes())
                .packet(0, 0, frame(2), little().option(2, new byte[3]))
                .bytes(),
            "test.pcap: frame 1 at byte 48: epb_flags of 3 bytes; 4 are needed"),
        Arguments.of(
            ticking(20, 1),
            "test.pcap: frame 1 at byte 28: if_tsresol 0x14; at finest 10^-19 or 2^-63 of a second"
                + " can be read"),
        Arguments.of(
            ticking(0, 1L << 40),
            "test.pcap: frame 1 at byte 56: timestamp 1099511627776; times up to the year 2262 can"
                + " be read"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("wrong")
  void whatIsWrongIsSaidInOneLine(byte[] capture, String message) {
    CaptureException error =
        assertThrows(
            CaptureException.class,
            () -> {
              try (CaptureReader reader = reader(capture)) {
                told(reader);
              }
            });
    assertEquals(message, error.getMessage());
  }

  @Test
  void aMissingFileIsNamed() {
    Path missing = folder.resolve("none.pcap");
    assertEquals(
        missing + ": no such file",
        assertThrows(CaptureException.class, () -> CaptureReader.open(missing)).getMessage());
    assertEquals(
        folder + ": is a directory; a pcap or pcapng file is needed",
        assertThrows(CaptureException.class, () -> CaptureReader.open(folder)).getMessage());
  }

  @Test
  void aCutCaptureGivesTheFramesUpToTheCut() {
    List<byte[]> wholes =
        List.of(pcap(LITTLE_ENDIAN, true, 1), CaptureBytes.rich(BIG_ENDIAN), twoSections());
    for (byte[] whole : wholes) {
      List<String> all = told(reader(whole));
      List<Integer> ends = boundaries(whole);
      for (int cut = ends.get(0); cut < whole.length; cut++) {
        try (CaptureReader reader = reader(Arrays.copyOf(whole, cut))) {
          List<String> got = told(reader);
          assertEquals(all.subList(0, got.size()), got);
          long complete = framesBefore(whole, cut);
          assertEquals(complete, got.size(), "cut at " + cut);
          if (ends.contains(cut)) {
            assertNull(reader.truncation(), "cut at " + cut);
          } else {
            assertNotNull(reader.truncation(), "cut at " + cut);
            assertEquals(complete + 1, reader.truncation().frame());
            int at = cut;
            int start = ends.stream().filter(end -> end < at).max(Integer::compare).orElseThrow();
            int end = ends.stream().filter(e -> e > at).min(Integer::compare).orElseThrow();
            assertEquals(start, reader.truncation().offset());
            assertTrue(reader.truncation().missing() <= end - cut);
            assertFalse(reader.next());
          }
        }
      }
      for (int cut = 0; cut < ends.get(0); cut++) {
        byte[] part = Arrays.copyOf(whole, cut);
        assertThrows(CaptureException.class, () -> reader(part), "cut at " + cut);
      }
    }
  }

  /** Where the header and each record or block end, found by walking the lengths. */
  private static List<Integer> boundaries(byte[] whole) {
    List<Integer> ends = new ArrayList<>();
    boolean blocks = whole[0] == 0x0a;
    int at = blocks ? 0 : 24;
    if (!blocks) {
      ends.add(at);
    }
    while (at < whole.length) {
      int length = blocks ? 0 : 16 + whole[at + 8];
      if (blocks) {
        boolean little = whole[at + 4] != 0;
        length = little ? whole[at + 4] & 0xff : whole[at + 7] & 0xff;
      }
      at += length;
      ends.add(at);
    }
    return ends;
  }

  private static long framesBefore(byte[] whole, int cut) {
    List<Integer> ends = boundaries(whole);
    if (whole[0] != 0x0a) {
      return ends.stream().skip(1).filter(end -> end <= cut).count();
    }
    int start = 0;
    int frames = 0;
    for (int end : ends) {
      if (end <= cut && (whole[start] == 6 || whole[start + 3] == 6)) {
        frames++;
      }
      start = end;
    }
    return frames;
  }

  @Test
  void aCutGzipIsCutAsWell() {
    byte[] packed = CaptureBytes.gzip(pcap(LITTLE_ENDIAN, true, 1));
    try (CaptureReader reader = reader(Arrays.copyOf(packed, packed.length - 9))) {
      told(reader);
      assertNotNull(reader.truncation());
    }
    for (int cut = 0; cut < packed.length; cut++) {
      try (CaptureReader reader = reader(Arrays.copyOf(packed, cut))) {
        told(reader);
        assertNotNull(reader.truncation(), "cut at " + cut);
      } catch (CaptureException e) {
        assertTrue(cut < packed.length - 8, "cut at " + cut);
      }
    }
  }

  @Test
  void theSentenceOfACut() {
    byte[] whole = pcap(LITTLE_ENDIAN, true, 1);
    try (CaptureReader reader = reader(Arrays.copyOf(whole, whole.length - 5))) {
      told(reader);
      assertEquals(
          "test.pcap: cut short in the record at byte 55, where frame 2 would be: 5 bytes are"
              + " missing",
          reader.truncation().toString());
    }
  }

  @ParameterizedTest
  @MethodSource("captures")
  void damageNeverHangsAndNeverThrowsAnythingElse(
      Object name, byte[] capture, List<String> ignored) {
    Random random = new Random(name.hashCode() * 31L + capture.length);
    assertTimeoutPreemptively(
        Duration.ofSeconds(60),
        () -> {
          for (int round = 0; round < 100; round++) {
            byte[] damaged = capture.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
              damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try (CaptureReader reader = reader(damaged)) {
              while (reader.next()) {
                reader.comment();
                assertTrue(reader.capturedLength() <= CaptureReader.MAXIMUM_FRAME);
                reader.copyTo(new byte[reader.capturedLength()], 0, reader.capturedLength());
              }
            } catch (CaptureException e) {
              assertFalse(e.getMessage().contains("\n"));
            }
          }
        });
  }

  static Stream<Arguments> forLibpcap() {
    return Stream.of(
        Arguments.of("pcap ns", pcap(LITTLE_ENDIAN, true, 1)),
        Arguments.of("pcap ns, other order", pcap(BIG_ENDIAN, true, 1)),
        Arguments.of("pcap us", pcap(LITTLE_ENDIAN, false, 1)),
        Arguments.of("pcap us, other order", pcap(BIG_ENDIAN, false, 1)),
        Arguments.of("10^-12", ticking(12, T)),
        Arguments.of("2^-20", ticking(0x94, S << 20 | 12345)),
        Arguments.of("10^-3", ticking(3, T / 1_000_000)),
        Arguments.of("packet block", old()),
        Arguments.of("rich", sameLink(LITTLE_ENDIAN)),
        Arguments.of("rich, other order", sameLink(BIG_ENDIAN)));
  }

  /** libpcap wants one link type for all interfaces of a file. */
  private static byte[] sameLink(ByteOrder order) {
    byte[] rich = CaptureBytes.rich(order);
    for (int i = 0; i + 1 < rich.length; i++) {
      int low = order == LITTLE_ENDIAN ? i : i + 1;
      if (i % 4 == 0 && rich[low] == 101 && rich[low == i ? i + 1 : i] == 0) {
        rich[low] = 1;
      }
    }
    return rich;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("forLibpcap")
  void libpcapReadsTheSame(String name, byte[] capture) throws Exception {
    Path file = Files.write(folder.resolve("same.pcap"), capture);
    try (PcapHandle libpcap = Pcaps.openOffline(file.toString(), TimestampPrecision.NANO);
        CaptureReader reader = CaptureReader.open(file)) {
      while (reader.next()) {
        byte[] theirs = libpcap.getNextRawPacket();
        assertNotNull(theirs);
        byte[] ours = new byte[reader.capturedLength()];
        reader.copyTo(ours, 0, ours.length);
        assertEquals(Arrays.toString(theirs), Arrays.toString(ours));
        assertEquals(
            libpcap.getTimestamp().getTime() / 1000 * 1_000_000_000L
                + libpcap.getTimestamp().getNanos(),
            reader.timestampNanos());
        assertEquals(libpcap.getOriginalLength(), reader.originalLength());
      }
      assertTrue(reader.frameNumber() > 0);
      assertNull(libpcap.getNextRawPacket());
    }
  }

  @Test
  void readingAllocatesNothingPerFrame() throws Exception {
    Path file = folder.resolve("many.pcapng");
    try (CaptureWriter writer = CaptureWriter.pcapng(file)) {
      writer.addInterface("eth0", LinkType.ETHERNET);
      for (int i = 0; i < 200_000; i++) {
        writer.write(0, i, frame(i % 100));
      }
    }
    ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    byte[] into = new byte[256];
    long self = Thread.currentThread().getId();
    try (CaptureReader reader = CaptureReader.open(file)) {
      for (int i = 0; i < 1000; i++) {
        reader.next();
        reader.copyTo(into, 0, reader.capturedLength());
      }
      thread.getThreadAllocatedBytes(self);
      long before = thread.getThreadAllocatedBytes(self);
      while (reader.next()) {
        reader.copyTo(into, 0, reader.capturedLength());
      }
      long allocated = thread.getThreadAllocatedBytes(self) - before;
      assertEquals(200_000, reader.frameNumber());
      // Nothing a frame; a read of the channel may cost a little.
      assertTrue(allocated < 20_000, "allocated " + allocated);
    }
  }
}
