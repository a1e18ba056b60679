// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/**
 * Plays struct tcphdr (RFC 9293): offsets and flags; fields are read at a transport header's
 * offset.
 */
public final class TcpHeader {
  /** Offset of the source port. */
  public static final int SOURCE_OFFSET = 0;

  /** Offset of the destination port. */
  public static final int DESTINATION_OFFSET = 2;

  /** Offset of the sequence number. */
  public static final int SEQUENCE_OFFSET = 4;

  /** Offset of the acknowledgement number. */
  public static final int ACK_OFFSET = 8;

  /** Offset of the data offset (upper four bits). */
  public static final int DATA_OFFSET = 12;

  /** Offset of the flags. */
  public static final int FLAGS_OFFSET = 13;

  /** Offset of the window. */
  public static final int WINDOW_OFFSET = 14;

  /** Offset of the checksum. */
  public static final int CHECKSUM_OFFSET = 16;

  /** Offset of the urgent pointer. */
  public static final int URGENT_OFFSET = 18;

  /** Header length without options, bytes. */
  public static final int MIN_LENGTH = 20;

  /** FIN flag. */
  public static final int FIN = 0x01;

  /** SYN flag. */
  public static final int SYN = 0x02;

  /** RST flag. */
  public static final int RST = 0x04;

  /** PSH flag. */
  public static final int PSH = 0x08;

  /** ACK flag. */
  public static final int ACK = 0x10;

  /** URG flag. */
  public static final int URG = 0x20;

  /** ECE flag. */
  public static final int ECE = 0x40;

  /** CWR flag. */
  public static final int CWR = 0x80;

  /** Kind of the maximum segment size option. */
  public static final int OPTION_MSS = 2;

  /** Length of the maximum segment size option, bytes. */
  public static final int OPTION_MSS_LENGTH = 4;

  private TcpHeader() {}

  /** Header length in bytes, options included, of the header at {@code offset}. */
  public static int headerLength(SkBuff skb, int offset) {
    return (skb.u8(offset + DATA_OFFSET) >>> 4) * 4;
  }

  /** The flags byte of the header at {@code offset}. */
  public static int flags(SkBuff skb, int offset) {
    return skb.u8(offset + FLAGS_OFFSET);
  }

  /** Plays before: is sequence number {@code a} before {@code b}, around the end of numbers? */
  public static boolean before(int a, int b) {
    return a - b < 0;
  }

  /** Plays after: is sequence number {@code a} after {@code b}, around the end of numbers? */
  public static boolean after(int a, int b) {
    return b - a < 0;
  }

  /** Plays segment_seq_plus_len: the sequence number behind the segment, which skb.tail ends. */
  public static int segmentEnd(SkBuff skb, int offset) {
    int flags = flags(skb, offset);
    return skb.u32(offset + SEQUENCE_OFFSET)
        + skb.tail
        - offset
        - headerLength(skb, offset)
        + ((flags & SYN) != 0 ? 1 : 0)
        + ((flags & FIN) != 0 ? 1 : 0);
  }

  /**
   * Where the option behind the one at {@code at} begins, as the matches of netfilter step through
   * TCP's and DCCP's options up to {@code end}: a length of 0 counts as 1.
   */
  public static int nextOption(SkBuff skb, int at, int end) {
    return skb.u8(at) < 2 || at == end - 1 ? at + 1 : at + Math.max(skb.u8(at + 1), 1);
  }
}
