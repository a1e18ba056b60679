// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

import io.skbwalk.lib.Checksum;

/**
 * Plays struct iphdr (RFC 791) at {@link SkBuff#networkHeader}; the caller knows that the bytes are
 * there.
 *
 * <pre>
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   |Version|  IHL  |Type of Service|          Total Length         |
 *   |         Identification        |Flags|      Fragment Offset    |
 *   |  Time to Live |    Protocol   |         Header Checksum       |
 *   |                       Source Address                          |
 *   |                    Destination Address                        |
 *   |                    Options                    |    Padding    |
 * </pre>
 */
public final class IpHeader {
  /** Offset of the type of service. */
  public static final int TOS_OFFSET = 1;

  /** Offset of the total length. */
  public static final int TOTAL_LENGTH_OFFSET = 2;

  /** Offset of the identification. */
  public static final int ID_OFFSET = 4;

  /** Offset of flags and fragment offset. */
  public static final int FRAGMENT_OFFSET = 6;

  /** Offset of the time to live. */
  public static final int TTL_OFFSET = 8;

  /** Offset of the protocol. */
  public static final int PROTOCOL_OFFSET = 9;

  /** Offset of the header checksum. */
  public static final int CHECKSUM_OFFSET = 10;

  /** Offset of the source address. */
  public static final int SOURCE_OFFSET = 12;

  /** Offset of the destination address. */
  public static final int DESTINATION_OFFSET = 16;

  /** Header length without options, bytes. */
  public static final int MIN_LENGTH = 20;

  /** Don't fragment, in {@link #fragment}. */
  public static final int IP_DF = 0x4000;

  /** More fragments, in {@link #fragment}. */
  public static final int IP_MF = 0x2000;

  /** Mask of the fragment offset (units of 8 bytes), in {@link #fragment}. */
  public static final int IP_OFFSET = 0x1FFF;

  /** Protocol numbers (IANA). */
  public static final int IPPROTO_ICMP = 1;

  /** Internet Group Management Protocol. */
  public static final int IPPROTO_IGMP = 2;

  /** Transmission Control Protocol. */
  public static final int IPPROTO_TCP = 6;

  /** User Datagram Protocol. */
  public static final int IPPROTO_UDP = 17;

  /** Protocol number of DCCP. */
  public static final int IPPROTO_DCCP = 33;

  /** Protocol number of GRE. */
  public static final int IPPROTO_GRE = 47;

  /** Protocol number of ESP. */
  public static final int IPPROTO_ESP = 50;

  /** Protocol number of AH. */
  public static final int IPPROTO_AH = 51;

  /** Protocol number of IPComp. */
  public static final int IPPROTO_COMP = 108;

  /** Protocol number of SCTP. */
  public static final int IPPROTO_SCTP = 132;

  /** Protocol number of UDP-Lite. */
  public static final int IPPROTO_UDPLITE = 136;

  private IpHeader() {}

  /** IP version, 0 to 15. */
  public static int version(SkBuff skb) {
    return skb.u8(skb.networkHeader) >>> 4;
  }

  /** Header length in bytes, options included (IHL times 4). */
  public static int headerLength(SkBuff skb) {
    return (skb.u8(skb.networkHeader) & 15) * 4;
  }

  /** Type of service. */
  public static int tos(SkBuff skb) {
    return skb.u8(skb.networkHeader + TOS_OFFSET);
  }

  /** Total length in bytes. */
  public static int totalLength(SkBuff skb) {
    return skb.u16(skb.networkHeader + TOTAL_LENGTH_OFFSET);
  }

  /** Identification. */
  public static int id(SkBuff skb) {
    return skb.u16(skb.networkHeader + ID_OFFSET);
  }

  /** Flags and fragment offset as they stand in the header. */
  public static int fragment(SkBuff skb) {
    return skb.u16(skb.networkHeader + FRAGMENT_OFFSET);
  }

  /** Plays ip_is_fragment: more fragments follow, or this one does not start at 0. */
  public static boolean isFragment(SkBuff skb) {
    return (fragment(skb) & (IP_MF | IP_OFFSET)) != 0;
  }

  /** Fragment offset in bytes. */
  public static int fragmentOffset(SkBuff skb) {
    return (fragment(skb) & IP_OFFSET) << 3;
  }

  /** Time to live. */
  public static int ttl(SkBuff skb) {
    return skb.u8(skb.networkHeader + TTL_OFFSET);
  }

  /** Protocol number. */
  public static int protocol(SkBuff skb) {
    return skb.u8(skb.networkHeader + PROTOCOL_OFFSET);
  }

  /** Header checksum as it stands in the header. */
  public static int checksum(SkBuff skb) {
    return skb.u16(skb.networkHeader + CHECKSUM_OFFSET);
  }

  /** Source address. */
  public static int source(SkBuff skb) {
    return skb.u32(skb.networkHeader + SOURCE_OFFSET);
  }

  /** Destination address. */
  public static int destination(SkBuff skb) {
    return skb.u32(skb.networkHeader + DESTINATION_OFFSET);
  }

  /** Plays ip_send_check: computes and stores the header checksum. */
  public static void updateChecksum(SkBuff skb) {
    skb.setU16(skb.networkHeader + CHECKSUM_OFFSET, 0);
    skb.setU16(
        skb.networkHeader + CHECKSUM_OFFSET,
        Checksum.of(skb.head, skb.networkHeader, headerLength(skb)));
  }

  /**
   * Replaces the 16 bits at {@code field} (an even offset into the header), checksum kept right.
   */
  public static void replace16(SkBuff skb, int field, int value) {
    int at = skb.networkHeader + field;
    skb.setU16(
        skb.networkHeader + CHECKSUM_OFFSET, Checksum.replace16(checksum(skb), skb.u16(at), value));
    skb.setU16(at, value);
  }

  /** Replaces an address, checksum kept right. */
  public static void replace32(SkBuff skb, int field, int value) {
    int at = skb.networkHeader + field;
    skb.setU16(
        skb.networkHeader + CHECKSUM_OFFSET, Checksum.replace32(checksum(skb), skb.u32(at), value));
    skb.setU32(at, value);
  }

  /**
   * Plays proto_ports_offset: where behind the IP header a protocol has two ports, or the 32 bits
   * that stand for them; -1 when it has none.
   */
  public static int portsOffset(int protocol) {
    return switch (protocol) {
      case IPPROTO_TCP, IPPROTO_UDP, IPPROTO_DCCP, IPPROTO_ESP, IPPROTO_SCTP, IPPROTO_UDPLITE -> 0;
      case IPPROTO_AH -> 4;
      default -> -1;
    };
  }
}
