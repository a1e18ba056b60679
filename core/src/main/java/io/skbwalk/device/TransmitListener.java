// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.skb.SkBuff;

/** Plays the wire's end of ndo_start_xmit: is told of each frame that leaves. */
@FunctionalInterface
public interface TransmitListener {
  /**
   * A frame leaves on {@code dev}: the bytes of {@code skb} from {@code data} to {@code tail},
   * Ethernet header included, frame check sequence not. {@code skb} must not be kept.
   */
  void transmitted(NetDevice dev, SkBuff skb);
}
