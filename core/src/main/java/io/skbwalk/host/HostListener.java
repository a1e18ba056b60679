// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Refusal;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.transport.Sock;

/**
 * Is told what a machine does with its packets. {@code skb.frame} is the number of the frame that
 * caused it, 0 for a timer; packets must be neither changed nor kept.
 */
public interface HostListener {
  /**
   * A frame leaves on {@code dev}: the bytes from {@code data} to {@code tail}, Ethernet header
   * included. IPSKB_FORWARDED in {@code skb.cbFlags} tells a forwarded packet from one made here.
   */
  default void transmitted(NetDevice dev, SkBuff skb) {}

  /**
   * A packet was dropped.
   *
   * @param function the kernel function that dropped it
   */
  default void dropped(SkBuff skb, DropReason reason, String function) {}

  /** A frame was not let in by the NIC, so that no packet was made of it. */
  default void refused(NetDevice dev, long frame, Refusal refusal) {}

  /** A socket got the packet, or a raw or packet socket a copy of it. */
  default void received(Sock sock, SkBuff skb) {}
}
