// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench;

import io.skbwalk.lib.Checksum;

/**
 * Lays out the TCP segments that come to the router of bench/conversations, each over the last one:
 * Ethernet, IP and TCP headers with twelve bytes of options, and a payload of letters. All sums are
 * right.
 */
public final class SegmentWriter {
  public static final int FIN = 1;
  public static final int SYN = 2;
  public static final int PSH = 8;
  public static final int ACK = 16;

  private static final int MOST_PAYLOAD = 1_460;
  private static final int OPTIONS = 12;
  private static final int TCP = 34;
  private static final int HEADERS = TCP + 20 + OPTIONS;

  private static final long ROUTER_OUTSIDE = 0x0200_0000_0001L;
  private static final long ROUTER_INSIDE = 0x0200_0000_0101L;
  private static final long GATEWAY = 0x0200_0000_00FEL;
  private static final long SERVER = 0x0200_0000_0750L;

  /** The alphabet over and over; a payload begins with the letter of its sequence number. */
  private static final byte[] LETTERS = new byte[26 + MOST_PAYLOAD];

  static {
    for (int i = 0; i < LETTERS.length; i++) {
      LETTERS[i] = (byte) ('a' + i % 26);
    }
  }

  /** The frame, of which the first bytes are the last segment. */
  public final byte[] frame = new byte[HEADERS + MOST_PAYLOAD];

  /** Comes from the internet, or from the servers. */
  public void arrives(boolean outside) {
    mac(0, outside ? ROUTER_OUTSIDE : ROUTER_INSIDE);
    mac(6, outside ? GATEWAY : SERVER);
    put16(12, 0x0800);
  }

  /** The IP header; {@code id} counts modulo 65536. */
  public void ip(int from, int to, int id, int payload) {
    frame[14] = 0x45;
    frame[15] = 0;
    put16(16, HEADERS - 14 + payload);
    put16(18, id);
    put16(20, 0x4000);
    frame[22] = 57;
    frame[23] = 6;
    put16(24, 0);
    put32(26, from);
    put32(30, to);
    put16(24, Checksum.of(frame, 14, 20));
  }

  /**
   * The rest, behind the IP header.
   *
   * @param time nanoseconds, for the timestamp option
   * @return how many bytes the frame has
   */
  public int tcp(
      int from, int to, int sequence, int acknowledged, int flags, long time, int payload) {
    put16(TCP, from);
    put16(TCP + 2, to);
    put32(TCP + 4, sequence);
    put32(TCP + 8, (flags & ACK) == 0 ? 0 : acknowledged);
    boolean syn = (flags & SYN) != 0;
    frame[TCP + 12] = (byte) (20 + OPTIONS << 2);
    frame[TCP + 13] = (byte) flags;
    put16(TCP + 14, syn ? 64_240 : 502);
    put16(TCP + 16, 0);
    put16(TCP + 18, 0);
    if (syn) {
      // MSS 1460, SACK permitted, window scale 7, one byte of padding.
      put32(TCP + 20, 0x0204_05B4);
      put32(TCP + 24, 0x0402_0303);
      put32(TCP + 28, 0x0701_0101);
    } else {
      put32(TCP + 20, 0x0101_080A);
      put32(TCP + 24, (int) (time / 1_000_000));
      put32(TCP + 28, (int) (time / 1_000_000) - 5);
    }
    System.arraycopy(LETTERS, Math.floorMod(sequence, 26), frame, HEADERS, payload);
    int length = 20 + OPTIONS + payload;
    long pseudo = Checksum.pseudoHeader(get32(26), get32(30), 6, length);
    put16(TCP + 16, Checksum.fold(Checksum.partial(frame, TCP, length, pseudo)));
    return HEADERS + payload;
  }

  private void mac(int at, long address) {
    put16(at, (int) (address >>> 32));
    put32(at + 2, (int) address);
  }

  private void put16(int at, int value) {
    frame[at] = (byte) (value >> 8);
    frame[at + 1] = (byte) value;
  }

  private void put32(int at, int value) {
    put16(at, value >>> 16);
    put16(at + 2, value);
  }

  private int get32(int at) {
    return (frame[at] & 0xFF) << 24
        | (frame[at + 1] & 0xFF) << 16
        | (frame[at + 2] & 0xFF) << 8
        | frame[at + 3] & 0xFF;
  }
}
