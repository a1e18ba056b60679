// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/** Plays tcp_options and tcp_sack: what the tracker wants to know of a segment's options. */
final class TcpOptions {
  private static final int MAX_SCALE = 14;

  private static final int END = 0;
  private static final int NOP = 1;
  private static final int WINDOW_SCALE = 3;
  private static final int SACK_PERMITTED = 4;
  private static final int SACK = 5;

  /** The window scale, at most 14; 0 without one. */
  int scale;

  /** {@link TcpConnection#WINDOW_SCALE} and {@link TcpConnection#SACK_PERM}, as offered. */
  int flags;

  /** Plays tcp_options. */
  void read(SkBuff skb, int offset) {
    scale = 0;
    flags = 0;
    int stop = offset + TcpHeader.headerLength(skb, offset);
    for (int at = next(skb, offset + TcpHeader.MIN_LENGTH, stop);
        at < stop;
        at = next(skb, at + skb.u8(at + 1), stop)) {
      int kind = skb.u8(at);
      int size = skb.u8(at + 1);
      if (kind == SACK_PERMITTED && size == 2) {
        flags |= TcpConnection.SACK_PERM;
      } else if (kind == WINDOW_SCALE && size == 3) {
        scale = Math.min(skb.u8(at + 2), MAX_SCALE);
        flags |= TcpConnection.WINDOW_SCALE;
      }
    }
  }

  /** Plays tcp_sack: the highest right edge of a SACK block, or {@code ack} when that is higher. */
  static int sack(SkBuff skb, int offset, int ack) {
    int stop = offset + TcpHeader.headerLength(skb, offset);
    for (int at = next(skb, offset + TcpHeader.MIN_LENGTH, stop);
        at < stop;
        at = next(skb, at + skb.u8(at + 1), stop)) {
      int size = skb.u8(at + 1);
      if (skb.u8(at) == SACK && size >= 10 && (size - 2) % 8 == 0) {
        int highest = ack;
        for (int block = at + 2; block < at + size; block += 8) {
          int right = skb.u32(block + 4);
          if (TcpHeader.after(right, highest)) {
            highest = right;
          }
        }
        return highest;
      }
    }
    return ack;
  }

  /** The first option at or after {@code at} that has a length; {@code stop} when none is whole. */
  private static int next(SkBuff skb, int at, int stop) {
    while (at < stop && skb.u8(at) == NOP) {
      at++;
    }
    if (stop - at < 2 || skb.u8(at) == END) {
      return stop;
    }
    int size = skb.u8(at + 1);
    return size < 2 || size > stop - at ? stop : at;
  }
}
