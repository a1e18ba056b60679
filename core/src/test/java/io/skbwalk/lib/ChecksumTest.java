// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link Checksum} against RFC 1071's own example and against adding word by word. */
class ChecksumTest {
  @ParameterizedTest
  @CsvSource({
    // RFC 1071 section 3.
    "0001f203f4f5f6f7, 220d",
    // An IPv4 header with its checksum in place, and with zero there.
    "45000073000040004011b861c0a80001c0a800c7, 0000",
    "450000730000400040110000c0a80001c0a800c7, b861",
    "00, ffff",
    "ff, 00ff",
    "ffff, 0000",
    "000000ff, ff00"
  })
  void bytesHaveTheirChecksum(String bytes, String checksum) {
    byte[] parsed = HexFormat.of().parseHex(bytes);
    assertEquals(
        checksum, HexFormat.of().toHexDigits((short) Checksum.of(parsed, 0, parsed.length)));
  }

  @Test
  void isTheSumWordByWordAtEveryLengthAndPlace() {
    Random random = new Random(1071);
    byte[] bytes = new byte[200];
    for (int round = 0; round < 200; round++) {
      random.nextBytes(bytes);
      if (round % 5 == 0) {
        java.util.Arrays.fill(bytes, (byte) (round % 10 == 0 ? 0 : 0xFF));
      }
      long before = random.nextInt(1 << 20);
      for (int offset = 0; offset < 5; offset++) {
        for (int length = 0; length + offset <= bytes.length; length++) {
          assertEquals(
              wordByWord(bytes, offset, length, before),
              Checksum.fold(Checksum.partial(bytes, offset, length, before)),
              length + " bytes from " + offset);
        }
      }
    }
  }

  @Test
  void addsUpInParts() {
    byte[] bytes = new byte[66_000];
    new Random(7).nextBytes(bytes);
    long sum = Checksum.partial(bytes, 0, 1_234, 0);
    sum = Checksum.partial(bytes, 1_234, bytes.length - 1_234, sum);
    assertEquals(Checksum.of(bytes, 0, bytes.length), Checksum.fold(sum));
  }

  @Test
  void isUpdatedAsIfComputedAnew() {
    Random random = new Random(1624);
    byte[] bytes = new byte[40];
    for (int round = 0; round < 2_000; round++) {
      random.nextBytes(bytes);
      int old = Checksum.of(bytes, 0, bytes.length);
      int at = 4 * random.nextInt(10);
      int from = word(bytes, at) << 16 | word(bytes, at + 2);
      byte[] other = new byte[4];
      random.nextBytes(other);
      System.arraycopy(other, 0, bytes, at, 4);
      int to = word(bytes, at) << 16 | word(bytes, at + 2);
      assertEquals(Checksum.of(bytes, 0, bytes.length), Checksum.replace32(old, from, to));
    }
  }

  private static int wordByWord(byte[] bytes, int offset, int length, long sum) {
    for (int i = 0; i < length; i += 2) {
      sum += i + 1 < length ? word(bytes, offset + i) : (bytes[offset + i] & 0xFF) << 8;
    }
    while (sum > 0xFFFF) {
      sum = (sum >>> 16) + (sum & 0xFFFF);
    }
    return (int) ~sum & 0xFFFF;
  }

  private static int word(byte[] bytes, int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }
}
