// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.lib.Checksum;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays skb_checksum_init and skb_checksum_complete for packets with an IPv4 pseudo header. */
final class TransportChecksum {
  /**
   * CHECKSUM_BREAK: up to so many bytes the checksum is verified at once, longer ones only when
   * needed.
   */
  private static final int CHECKSUM_BREAK = 76;

  private TransportChecksum() {}

  /** False when the checksum is wrong and the packet so short that it is looked at right away. */
  static boolean initial(SkBuff skb, int protocol) {
    return skb.length() > CHECKSUM_BREAK || complete(skb, protocol);
  }

  /**
   * True when the checksum over the bytes from {@code data} to {@code tail} is right or known to
   * be.
   */
  static boolean complete(SkBuff skb, int protocol) {
    if (skb.checksumUnnecessary()) {
      return true;
    }
    if (sum(skb, protocol, skb.length()) != 0) {
      return false;
    }
    skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
    return true;
  }

  /** The folded sum over {@code coverage} bytes and the pseudo header; 0 when it is right. */
  static int sum(SkBuff skb, int protocol, int coverage) {
    return Checksum.fold(
        Checksum.partial(
            skb.head,
            skb.data,
            coverage,
            Checksum.pseudoHeader(
                IpHeader.source(skb), IpHeader.destination(skb), protocol, skb.length())));
  }
}
