// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

import io.airlift.compress.zstd.ZstdOutputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.GZIPOutputStream;

/** Captures, byte by byte as the drafts have them, and independent of the writer under test. */
final class CaptureBytes {
  static final long T = 1_767_225_600_123_456_789L;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private ByteOrder order;

  CaptureBytes(ByteOrder order) {
    this.order = order;
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }

  int size() {
    return bytes.size();
  }

  CaptureBytes order(ByteOrder other) {
    order = other;
    return this;
  }

  CaptureBytes u8(int... values) {
    for (int value : values) {
      bytes.write(value);
    }
    return this;
  }

  CaptureBytes u16(int... values) {
    for (int value : values) {
      raw(ByteBuffer.allocate(2).order(order).putShort((short) value).array());
    }
    return this;
  }

  CaptureBytes u32(long... values) {
    for (long value : values) {
      raw(ByteBuffer.allocate(4).order(order).putInt((int) value).array());
    }
    return this;
  }

  CaptureBytes u64(long value) {
    return raw(ByteBuffer.allocate(8).order(order).putLong(value).array());
  }

  CaptureBytes raw(byte[] more) {
    bytes.writeBytes(more);
    return this;
  }

  CaptureBytes pad() {
    while (bytes.size() % 4 != 0) {
      bytes.write(0);
    }
    return this;
  }

  CaptureBytes pcap(long magic, long linkType) {
    return u32(magic).u16(2, 4).u32(0, 0, 65535, linkType);
  }

  CaptureBytes record(long seconds, long fraction, byte[] frame) {
    return u32(seconds, fraction, frame.length, frame.length + 7).raw(frame);
  }

  CaptureBytes block(long type, byte[] body) {
    int length = 12 + (body.length + 3 & ~3);
    return u32(type, length).raw(body).pad().u32(length);
  }

  CaptureBytes body() {
    return new CaptureBytes(order);
  }

  CaptureBytes section() {
    return block(0x0a0d0d0a, body().u32(0x1a2b3c4d).u16(1, 0).u64(-1).bytes());
  }

  CaptureBytes option(int code, byte[] value) {
    return u16(code, value.length).raw(value).pad();
  }

  CaptureBytes face(int linkType, int snap, CaptureBytes options) {
    return block(1, body().u16(linkType, 0).u32(snap).raw(options.bytes()).bytes());
  }

  CaptureBytes packet(int on, long stamp, byte[] frame, CaptureBytes options) {
    return block(
        6,
        body()
            .u32(on, stamp >>> 32, stamp, frame.length, frame.length + 7)
            .raw(frame)
            .pad()
            .raw(options.bytes())
            .bytes());
  }

  static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** An Ethernet frame with as much behind the header as its number says. */
  static byte[] frame(int number) {
    CaptureBytes made = new CaptureBytes(ByteOrder.BIG_ENDIAN);
    made.u8(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, number).u16(0x88b5);
    for (int i = 0; i < number; i++) {
      made.u8(i ^ number);
    }
    return made.bytes();
  }

  static byte[] gzip(byte[] plain) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  static byte[] zstandard(byte[] plain) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (ZstdOutputStream out = new ZstdOutputStream(packed)) {
      out.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  static CaptureReader reader(byte[] capture) {
    return new CaptureReader("test.pcap", Channels.newChannel(new ByteArrayInputStream(capture)));
  }

  /**
   * A line a frame: number, interface, time, link type, FCS, lengths, direction, comment, bytes.
   */
  static List<String> told(CaptureReader capture) {
    List<String> told = new ArrayList<>();
    while (capture.next()) {
      byte[] frame = new byte[capture.capturedLength()];
      capture.copyTo(frame, 0, frame.length);
      told.add(
          "%d %d/%s %d link %d fcs %d %d of %d dir %d %s %s"
              .formatted(
                  capture.frameNumber(),
                  capture.interfaceIndex(),
                  capture.interfaceName(),
                  capture.timestampNanos(),
                  capture.linkType(),
                  capture.fcsLength(),
                  capture.capturedLength(),
                  capture.originalLength(),
                  capture.direction(),
                  capture.comment(),
                  HexFormat.of().formatHex(frame)));
    }
    return told;
  }

  static String line(
      int number, String on, long time, int link, int fcs, int dir, String comment, byte[] frame) {
    return "%d %s %d link %d fcs %d %d of %d dir %d %s %s"
        .formatted(
            number,
            on,
            time,
            link,
            fcs,
            frame.length,
            frame.length + 7,
            dir,
            comment,
            HexFormat.of().formatHex(frame));
  }

  /** Two interfaces with all their options, comments, flags, blocks that nobody knows. */
  static byte[] rich(ByteOrder order) {
    CaptureBytes none = new CaptureBytes(order);
    CaptureBytes made = new CaptureBytes(order).section();
    made.face(
        1,
        0,
        none.body()
            .option(2, text("eth0"))
            .option(9, new byte[] {9})
            .option(13, new byte[] {4})
            .u32(0));
    made.block(0x0bad, text("something that is skipped"));
    made.packet(0, T, frame(3), none);
    made.face(
        101,
        0,
        none.body()
            .option(2, text("tun0"))
            .option(9, new byte[] {6})
            .option(14, none.body().u64(100).bytes()));
    made.packet(
        1,
        T / 1000,
        frame(4),
        none.body().option(1, text("why")).option(2, none.body().u32(2).bytes()).u32(0));
    made.packet(0, T + 1, frame(5), none.body().option(2, none.body().u32(1 | 2 << 5).bytes()));
    return made.bytes();
  }

  static List<String> richTold() {
    return List.of(
        line(1, "0/eth0", T, 1, 4, 0, null, frame(3)),
        line(2, "1/tun0", T / 1000 * 1000 + 100_000_000_000L, 101, -1, 2, "why", frame(4)),
        line(3, "0/eth0", T + 1, 1, 2, 1, null, frame(5)));
  }
}
