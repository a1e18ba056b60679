// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.skb.SkBuff;

/**
 * Plays struct packet_type of a packet socket: looks at packets and leaves them as they are.
 * Registered with {@link NetworkCore#addTap}.
 */
@FunctionalInterface
public interface PacketTap {
  /**
   * Sees {@code skb}, which must be neither changed nor kept. Its bytes begin at {@code
   * skb.macHeader}; a VLAN tag has been taken off and is in {@code skb.vlanTci}.
   *
   * @param dev the interface that it is on
   */
  void see(SkBuff skb, NetDevice dev);
}
