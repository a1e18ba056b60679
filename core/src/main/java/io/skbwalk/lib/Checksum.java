// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Plays lib/checksum.c: the Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * <p>A partial sum is a {@code long} of 16-bit words added in network order, not yet folded; {@link
 * #fold} turns it into the 16 bits that go into a header.
 */
public final class Checksum {
  private static final boolean LITTLE = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN;
  private static final VarHandle WORD =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.nativeOrder());

  private Checksum() {}

  /**
   * Plays csum_partial: adds {@code length} bytes of {@code bytes} from {@code offset} to {@code
   * sum}. An odd last byte counts as the high half of a word. {@code length} up to 128 KiB.
   */
  public static long partial(byte[] bytes, int offset, int length, long sum) {
    int end = offset + length;
    int at = offset;
    // Words in the order of this processor, exchanged once at the end (RFC 1071 section 2 B); four
    // sums, so that none waits for another.
    long first = 0;
    long second = 0;
    long third = 0;
    long fourth = 0;
    for (; at <= end - 16; at += 16) {
      first += (int) WORD.get(bytes, at) & 0xFFFFFFFFL;
      second += (int) WORD.get(bytes, at + 4) & 0xFFFFFFFFL;
      third += (int) WORD.get(bytes, at + 8) & 0xFFFFFFFFL;
      fourth += (int) WORD.get(bytes, at + 12) & 0xFFFFFFFFL;
    }
    for (; at <= end - 4; at += 4) {
      first += (int) WORD.get(bytes, at) & 0xFFFFFFFFL;
    }
    int folded = ~fold(first + second + third + fourth) & 0xFFFF;
    sum += LITTLE ? Short.reverseBytes((short) folded) & 0xFFFF : folded;
    if (at <= end - 2) {
      sum += (bytes[at] & 0xFF) << 8 | (bytes[at + 1] & 0xFF);
      at += 2;
    }
    if (at < end) {
      sum += (bytes[at] & 0xFF) << 8;
    }
    return sum;
  }

  /** Plays csum_fold: the one's complement of the folded sum, 16 bits. */
  public static int fold(long sum) {
    sum = (sum >>> 32) + (sum & 0xFFFFFFFFL);
    sum = (sum >>> 16) + (sum & 0xFFFF);
    sum = (sum >>> 16) + (sum & 0xFFFF);
    sum = (sum >>> 16) + (sum & 0xFFFF);
    return (int) ~sum & 0xFFFF;
  }

  /** Plays ip_compute_csum: the checksum of {@code length} bytes. */
  public static int of(byte[] bytes, int offset, int length) {
    return fold(partial(bytes, offset, length, 0));
  }

  /**
   * Plays csum_tcpudp_nofold: the pseudo header's partial sum (RFC 793, RFC 768). {@code length} is
   * the transport header and payload in bytes.
   */
  public static long pseudoHeader(int source, int destination, int protocol, int length) {
    return (source >>> 16)
        + (source & 0xFFFFL)
        + (destination >>> 16)
        + (destination & 0xFFFFL)
        + protocol
        + length;
  }

  /** Plays csum_replace2: the checksum after a 16-bit word changed (RFC 1624, equation 3). */
  public static int replace16(int checksum, int from, int to) {
    return fold((~checksum & 0xFFFFL) + (~from & 0xFFFFL) + (to & 0xFFFFL));
  }

  /** Plays csum_replace4: the checksum after a 32-bit field changed (RFC 1624, equation 3). */
  public static int replace32(int checksum, int from, int to) {
    int notFrom = ~from;
    return fold(
        (~checksum & 0xFFFFL)
            + (notFrom >>> 16)
            + (notFrom & 0xFFFFL)
            + (to >>> 16)
            + (to & 0xFFFFL));
  }
}
