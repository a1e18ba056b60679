// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Writes whole IP headers, as the kernel's senders each do for themselves. */
final class IpHeaderWriter {
  private IpHeaderWriter() {}

  /**
   * Writes the fixed part at {@link SkBuff#networkHeader}; length and checksum are set on the way
   * out.
   */
  static void write(
      SkBuff skb,
      int headerLength,
      int tos,
      int id,
      int fragment,
      int ttl,
      int protocol,
      int source,
      int destination) {
    int at = skb.networkHeader;
    skb.setU8(at, 0x40 | headerLength >> 2);
    skb.setU8(at + IpHeader.TOS_OFFSET, tos);
    skb.setU16(at + IpHeader.TOTAL_LENGTH_OFFSET, 0);
    skb.setU16(at + IpHeader.ID_OFFSET, id);
    skb.setU16(at + IpHeader.FRAGMENT_OFFSET, fragment);
    skb.setU8(at + IpHeader.TTL_OFFSET, ttl);
    skb.setU8(at + IpHeader.PROTOCOL_OFFSET, protocol);
    skb.setU16(at + IpHeader.CHECKSUM_OFFSET, 0);
    skb.setU32(at + IpHeader.SOURCE_OFFSET, source);
    skb.setU32(at + IpHeader.DESTINATION_OFFSET, destination);
  }

  /** Sets the total length to the packet's and computes the checksum. */
  static void setLength(SkBuff skb) {
    skb.setU16(skb.networkHeader + IpHeader.TOTAL_LENGTH_OFFSET, skb.tail - skb.networkHeader);
    IpHeader.updateChecksum(skb);
  }
}
