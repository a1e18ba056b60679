// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.lib.Checksum;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The least that can be done to a capture and still be called looking at it: every frame's IP and
 * TCP checksums are summed up.
 */
final class BareLoop {
  private static final int ETHERNET = 14;
  private static final int FILE_HEADER = 24;
  private static final int RECORD_HEADER = 16;

  private BareLoop() {}

  /** Reads the way that the replay does. */
  static Cost throughReader(Path capture) {
    byte[] frame = new byte[CaptureReader.MAXIMUM_FRAME];
    Meter meter = new Meter();
    long frames = 0;
    long sound = 0;
    try (CaptureReader reader = OneThread.open(capture)) {
      while (reader.next()) {
        reader.copyTo(frame, 0, reader.capturedLength());
        sound += isSound(frame, 0) ? 1 : 0;
        frames++;
      }
    }
    return meter.stop(check(frames, sound));
  }

  /** Knows the format of this one file, and sums where it has read to. */
  static Cost plain(Path capture) throws IOException {
    byte[] block = new byte[1 << 20];
    ByteBuffer words = ByteBuffer.wrap(block).order(ByteOrder.LITTLE_ENDIAN);
    Meter meter = new Meter();
    long frames = 0;
    long sound = 0;
    try (InputStream file = Files.newInputStream(capture)) {
      file.skipNBytes(FILE_HEADER);
      int end = 0;
      int at = 0;
      while (true) {
        if (end - at < RECORD_HEADER || end - at < RECORD_HEADER + words.getInt(at + 8)) {
          System.arraycopy(block, at, block, 0, end - at);
          end -= at;
          at = 0;
          int read = file.read(block, end, block.length - end);
          if (read < 0) {
            break;
          }
          end += read;
          continue;
        }
        sound += isSound(block, at + RECORD_HEADER) ? 1 : 0;
        at += RECORD_HEADER + words.getInt(at + 8);
        frames++;
      }
    }
    return meter.stop(check(frames, sound));
  }

  private static boolean isSound(byte[] bytes, int at) {
    int ip = at + ETHERNET;
    int header = (bytes[ip] & 15) * 4;
    int length = u16(bytes, ip + 2) - header;
    long pseudo = Checksum.pseudoHeader(u32(bytes, ip + 12), u32(bytes, ip + 16), 6, length);
    return Checksum.of(bytes, ip, header) == 0
        && Checksum.fold(Checksum.partial(bytes, ip + header, length, pseudo)) == 0;
  }

  private static long check(long frames, long sound) {
    if (sound != frames) {
      throw new IllegalStateException(frames - sound + " frames with wrong checksums");
    }
    return frames;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | bytes[at + 1] & 0xff;
  }

  private static int u32(byte[] bytes, int at) {
    return u16(bytes, at) << 16 | u16(bytes, at + 2);
  }
}
