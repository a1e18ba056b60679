// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.lib.Mac;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.SkBuff;

/** Plays net/ethernet/eth.c: what a frame's header says of the packet. */
final class EthernetTypes {
  /** ETH_P_802_3_MIN: from here on the field is a type, under it a length. */
  private static final int ETH_P_802_3_MIN = 0x0600;

  /** ETH_P_802_3: raw 802.3, as Novell's IPX had it. */
  private static final int ETH_P_802_3 = 0x0001;

  /** ETH_P_802_2: 802.2 LLC. */
  private static final int ETH_P_802_2 = 0x0004;

  private EthernetTypes() {}

  /**
   * Plays eth_type_trans: {@code skb.data} stands at an Ethernet header and moves behind it; sets
   * mac header, packet type and protocol.
   */
  static void typeTrans(SkBuff skb, NetDevice dev) {
    skb.dev = dev;
    skb.macHeader = skb.data;
    skb.pull(EthernetHeader.LENGTH);
    skb.pktType = packetType(EthernetHeader.destination(skb, skb.macHeader), dev);
    int type = EthernetHeader.type(skb, skb.macHeader);
    if (type < ETH_P_802_3_MIN) {
      type = skb.mayPull(2) && skb.u16(skb.data) == 0xFFFF ? ETH_P_802_3 : ETH_P_802_2;
    }
    skb.protocol = type;
  }

  private static byte packetType(long destination, NetDevice dev) {
    if (destination == dev.macAddress) {
      return SkBuff.PACKET_HOST;
    }
    if (!Mac.isGroup(destination)) {
      return SkBuff.PACKET_OTHERHOST;
    }
    return destination == Mac.BROADCAST ? SkBuff.PACKET_BROADCAST : SkBuff.PACKET_MULTICAST;
  }

  /**
   * Plays vlan_set_encap_proto: the protocol behind a tag, whose inner type or length field is
   * {@code type}; {@code data} stands behind that field.
   */
  static int encapsulated(SkBuff skb, int type) {
    if (type >= ETH_P_802_3_MIN) {
      return type;
    }
    return skb.mayPull(2) && skb.u16(skb.data) == 0xFFFF ? ETH_P_802_3 : ETH_P_802_2;
  }
}
