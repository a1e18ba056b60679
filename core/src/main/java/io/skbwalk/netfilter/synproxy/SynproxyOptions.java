// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.synproxy;

import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays struct synproxy_options: the TCP options of a segment that a proxy reads or makes.
 *
 * <p>Where both sides have timestamps, the lowest six bits of the one in the SYN/ACK keep the
 * client's other options: four bits window scale (15 for none), then SACK, then ECN.
 */
final class SynproxyOptions {
  private static final int END = 0;
  private static final int NOP = 1;
  private static final int WINDOW_SCALE = 3;
  private static final int SACK_PERMITTED = 4;
  static final int TIMESTAMP = 8;
  static final int TIMESTAMP_LENGTH = 10;

  private static final int MOST_SCALE = 14;
  private static final int COOKIE_NO_SCALE = 0xF;
  private static final int COOKIE_SACK = 1 << 4;
  private static final int COOKIE_ECN = 1 << 5;
  private static final int COOKIE_MASK = 0x3F;

  /** Bits of {@link SynproxyInfo}. */
  int bits;

  int windowScale;
  int mss;
  int timestamp;
  int echo;

  /** Plays synproxy_parse_options; false when the header is not whole. */
  boolean parse(SkBuff skb, int tcp) {
    bits = 0;
    windowScale = 0;
    mss = 0;
    timestamp = 0;
    echo = 0;
    int length = TcpHeader.headerLength(skb, tcp);
    int end = tcp + length;
    if (length < TcpHeader.MIN_LENGTH || end > skb.tail) {
      return false;
    }
    int size;
    for (int at = tcp + TcpHeader.MIN_LENGTH; at < end; at += size) {
      int kind = skb.u8(at);
      if (kind == NOP) {
        size = 1;
        continue;
      }
      size = kind == END || end - at < 2 ? 0 : skb.u8(at + 1);
      if (size < 2 || size > end - at) {
        return true;
      }
      take(skb, at, kind, size);
    }
    return true;
  }

  private void take(SkBuff skb, int at, int kind, int size) {
    if (kind == TcpHeader.OPTION_MSS && size == TcpHeader.OPTION_MSS_LENGTH) {
      mss = skb.u16(at + 2);
      bits |= SynproxyInfo.MSS;
    } else if (kind == WINDOW_SCALE && size == 3) {
      windowScale = Math.min(skb.u8(at + 2), MOST_SCALE);
      bits |= SynproxyInfo.WSCALE;
    } else if (kind == TIMESTAMP && size == TIMESTAMP_LENGTH) {
      timestamp = skb.u32(at + 2);
      echo = skb.u32(at + 6);
      bits |= SynproxyInfo.TIMESTAMP;
    } else if (kind == SACK_PERMITTED && size == 2) {
      bits |= SynproxyInfo.SACK_PERM;
    }
  }

  boolean has(int bit) {
    return (bits & bit) != 0;
  }

  /** Plays synproxy_init_timestamp_cookie: echoes the client's, and hides its options in ours. */
  void initTimestampCookie(int millis, int ownScale) {
    echo = timestamp;
    timestamp = millis & ~COOKIE_MASK;
    if (has(SynproxyInfo.WSCALE)) {
      timestamp |= windowScale;
      windowScale = ownScale;
    } else {
      timestamp |= COOKIE_NO_SCALE;
    }
    timestamp |= has(SynproxyInfo.SACK_PERM) ? COOKIE_SACK : 0;
    timestamp |= has(SynproxyInfo.ECN) ? COOKIE_ECN : 0;
  }

  /** Plays synproxy_check_timestamp_cookie: the options that the SYN had. */
  void checkTimestampCookie() {
    windowScale = echo & COOKIE_NO_SCALE;
    bits |= windowScale != COOKIE_NO_SCALE ? SynproxyInfo.WSCALE : 0;
    bits |= (echo & COOKIE_SACK) != 0 ? SynproxyInfo.SACK_PERM : 0;
    bits |= (echo & COOKIE_ECN) != 0 ? SynproxyInfo.ECN : 0;
  }

  void swapTimestamps() {
    int kept = timestamp;
    timestamp = echo;
    echo = kept;
  }

  /** Plays synproxy_options_size, bytes. */
  int size() {
    int words = has(SynproxyInfo.MSS) ? 1 : 0;
    if (has(SynproxyInfo.TIMESTAMP)) {
      words += 3;
    } else if (has(SynproxyInfo.SACK_PERM)) {
      words++;
    }
    return 4 * (has(SynproxyInfo.WSCALE) ? words + 1 : words);
  }

  /** Plays synproxy_build_options. */
  void write(SkBuff skb, int options) {
    int at = options;
    if (has(SynproxyInfo.MSS)) {
      skb.setU32(at, TcpHeader.OPTION_MSS << 24 | TcpHeader.OPTION_MSS_LENGTH << 16 | mss);
      at += 4;
    }
    int sackOrNops = has(SynproxyInfo.SACK_PERM) ? SACK_PERMITTED << 8 | 2 : NOP << 8 | NOP;
    if (has(SynproxyInfo.TIMESTAMP)) {
      skb.setU32(at, sackOrNops << 16 | TIMESTAMP << 8 | TIMESTAMP_LENGTH);
      skb.setU32(at + 4, timestamp);
      skb.setU32(at + 8, echo);
      at += 12;
    } else if (has(SynproxyInfo.SACK_PERM)) {
      skb.setU32(at, NOP << 24 | NOP << 16 | sackOrNops);
      at += 4;
    }
    if (has(SynproxyInfo.WSCALE)) {
      skb.setU32(at, NOP << 24 | WINDOW_SCALE << 16 | 3 << 8 | windowScale);
    }
  }
}
