// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.synproxy;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Jhash;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays net/ipv4/syncookies.c: an initial sequence number that says all that must be remembered of
 * a SYN, so that nothing is remembered. It is the sum of a hash of the connection, the client's own
 * number, the minute in the upper 8 bits, and in the lower 24 a hash of connection and minute plus
 * which of four segment sizes the client takes.
 *
 * <p>Linux hashes with secrets of the machine; these come from the seed, so that the numbers are
 * others, but the same in every run.
 */
final class SynCookies {
  /** COOKIEBITS: below the minute. */
  private static final int BITS = 24;

  private static final int MASK = (1 << BITS) - 1;

  /** MAX_SYNCOOKIE_AGE: minutes begun, the one of the SYN included, in which a cookie holds. */
  private static final int MOST_AGE = 2;

  /** TCP_SYNCOOKIE_PERIOD, seconds. */
  private static final int PERIOD = 60;

  /** msstab: the segment sizes that a cookie can say. */
  private static final int[] SIZES = {536, 1300, 1440, 1460};

  private final Clock clock;
  private final int secret;
  private final int secretOfMinute;

  SynCookies(Net net) {
    clock = net.clock;
    secret = net.random.nextInt();
    secretOfMinute = net.random.nextInt();
  }

  private int minute() {
    return (int) (clock.seconds() / PERIOD);
  }

  /** The index of the largest size that is not above {@code mss}; 0 when there is none. */
  private static int indexOf(int mss) {
    int index = SIZES.length - 1;
    while (index > 0 && mss < SIZES[index]) {
      index--;
    }
    return index;
  }

  /** Plays __cookie_v4_init_sequence for the SYN whose TCP header is at {@code tcp}. */
  int initialSequence(SkBuff skb, int tcp, int mss) {
    int minute = minute();
    return hash(skb, tcp, 0, secret)
        + skb.u32(tcp + TcpHeader.SEQUENCE_OFFSET)
        + (minute << BITS)
        + (hash(skb, tcp, minute, secretOfMinute) + indexOf(mss) & MASK);
  }

  /**
   * Plays __cookie_v4_check: the segment size that {@code cookie} says, which the ACK at {@code
   * tcp} has brought back; 0 when it is no cookie, or too old.
   */
  int check(SkBuff skb, int tcp, int cookie) {
    int minute = minute();
    int rest = cookie - hash(skb, tcp, 0, secret) - (skb.u32(tcp + TcpHeader.SEQUENCE_OFFSET) - 1);
    int age = minute - (rest >>> BITS) & 0xFF;
    if (age >= MOST_AGE) {
      return 0;
    }
    int index = rest - hash(skb, tcp, minute - age, secretOfMinute) & MASK;
    return index < SIZES.length ? SIZES[index] : 0;
  }

  private static int hash(SkBuff skb, int tcp, int minute, int secret) {
    return Jhash.words(
        IpHeader.source(skb), IpHeader.destination(skb), skb.u32(tcp), minute, secret);
  }
}
