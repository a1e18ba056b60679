// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.skb.SkBuff;

/**
 * Plays struct packet_type of a protocol: what takes the packets of one EtherType, such as {@code
 * ip_packet_type} whose function is {@code ip_rcv}. Registered with {@link
 * NetworkCore#addPacketType}.
 */
@FunctionalInterface
public interface PacketType {
  /**
   * Takes {@code skb} over; its {@code data} stands behind the Ethernet header.
   *
   * @param dev the interface that it is on: for a frame with a tag, the VLAN interface
   */
  void receive(SkBuff skb, NetDevice dev);
}
