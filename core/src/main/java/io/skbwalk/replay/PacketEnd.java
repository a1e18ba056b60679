// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * The header of a frame's packet as it was where its way ended: what rules and NAT had made of it.
 *
 * @param source address
 * @param destination address
 * @param hasPorts does its protocol have ports, and is it no later fragment?
 * @param ports source and destination
 * @param tos type of service
 * @param ttl time to live
 */
public record PacketEnd(
    int source, int destination, boolean hasPorts, int ports, int tos, int ttl) {
  private static final int IPPROTO_DCCP = 33;
  private static final int IPPROTO_SCTP = 132;
  private static final int IPPROTO_UDPLITE = 136;

  static boolean hasPorts(int protocol) {
    return protocol == IpHeader.IPPROTO_TCP
        || protocol == IpHeader.IPPROTO_UDP
        || protocol == IPPROTO_DCCP
        || protocol == IPPROTO_SCTP
        || protocol == IPPROTO_UDPLITE;
  }

  /** The packet in {@code skb}; {@code before} when that says more (this is a later fragment). */
  static PacketEnd of(SkBuff skb, PacketEnd before) {
    int at = skb.networkHeader;
    if (at < 0 || skb.tail - at < IpHeader.MIN_LENGTH) {
      return before;
    }
    boolean later = (skb.u16(at + IpHeader.FRAGMENT_OFFSET) & IpHeader.IP_OFFSET) != 0;
    if (later && before != null) {
      return before;
    }
    int transport = at + (skb.u8(at) & 15) * 4;
    boolean ports =
        !later && hasPorts(skb.u8(at + IpHeader.PROTOCOL_OFFSET)) && transport + 4 <= skb.tail;
    return new PacketEnd(
        skb.u32(at + IpHeader.SOURCE_OFFSET),
        skb.u32(at + IpHeader.DESTINATION_OFFSET),
        ports,
        ports ? skb.u32(transport) : 0,
        skb.u8(at + IpHeader.TOS_OFFSET),
        skb.u8(at + IpHeader.TTL_OFFSET));
  }

  /** Source port, or 0. */
  public int sourcePort() {
    return ports >>> 16;
  }

  /** Destination port, or 0. */
  public int destinationPort() {
    return ports & 0xFFFF;
  }

  /** {@code 192.0.2.1:1025}, or the address alone. */
  public String from() {
    return Ip4.format(source) + (hasPorts ? ":" + sourcePort() : "");
  }

  /** The same of where it goes. */
  public String to() {
    return Ip4.format(destination) + (hasPorts ? ":" + destinationPort() : "");
  }
}
