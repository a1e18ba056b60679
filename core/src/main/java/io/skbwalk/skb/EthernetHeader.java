// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/**
 * Plays struct ethhdr (IEEE 802.3) at an offset of a packet.
 *
 * <pre>
 *   +---------------------+---------------------+-----------+
 *   | destination (6)     | source (6)          | type (2)  |
 *   +---------------------+---------------------+-----------+
 * </pre>
 */
public final class EthernetHeader {
  /** Offset of the destination address. */
  public static final int DESTINATION_OFFSET = 0;

  /** Offset of the source address. */
  public static final int SOURCE_OFFSET = 6;

  /** Offset of the EtherType. */
  public static final int TYPE_OFFSET = 12;

  /** Header length in bytes. */
  public static final int LENGTH = 14;

  /** EtherType of IPv4. */
  public static final int ETH_P_IP = 0x0800;

  /** EtherType of ARP. */
  public static final int ETH_P_ARP = 0x0806;

  /** EtherType of an 802.1Q tag. */
  public static final int ETH_P_8021Q = 0x8100;

  /** EtherType of an 802.1ad service tag. */
  public static final int ETH_P_8021AD = 0x88A8;

  /** EtherType of IPv6. */
  public static final int ETH_P_IPV6 = 0x86DD;

  private EthernetHeader() {}

  /** Destination address, low 48 bits. */
  public static long destination(SkBuff skb, int offset) {
    return mac(skb, offset);
  }

  /** Source address, low 48 bits. */
  public static long source(SkBuff skb, int offset) {
    return mac(skb, offset + SOURCE_OFFSET);
  }

  /** EtherType, host order. */
  public static int type(SkBuff skb, int offset) {
    return skb.u16(offset + TYPE_OFFSET);
  }

  /** Writes a whole header at {@code offset}. */
  public static void write(SkBuff skb, int offset, long destination, long source, int type) {
    setMac(skb, offset, destination);
    setMac(skb, offset + SOURCE_OFFSET, source);
    skb.setU16(offset + TYPE_OFFSET, type);
  }

  /** The six bytes at {@code offset} as the low 48 bits. */
  public static long mac(SkBuff skb, int offset) {
    return (long) skb.u16(offset) << 32 | skb.u32(offset + 2) & 0xFFFFFFFFL;
  }

  /** Stores the low 48 bits of {@code mac} at {@code offset}. */
  public static void setMac(SkBuff skb, int offset, long mac) {
    skb.setU16(offset, (int) (mac >>> 32));
    skb.setU32(offset + 2, (int) mac);
  }
}
