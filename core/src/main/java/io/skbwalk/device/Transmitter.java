// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.skb.SkBuff;

/**
 * Plays dev_queue_xmit for the layers above: takes a packet with its Ethernet header and sends it.
 */
@FunctionalInterface
public interface Transmitter {
  /**
   * Sends {@code skb}, whose data stands at the Ethernet header, on its {@code dev}; takes it over.
   */
  void queueXmit(SkBuff skb);
}
