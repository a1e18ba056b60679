// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.SkBuff;

/** Where packets go that leave the IP layer downwards. */
public interface LinkLayer {
  /**
   * Plays neigh_output: finds the link-layer address of {@code nextHop} on {@code dev}, adds the
   * frame's header in front of {@link SkBuff#data} (the IP header) and sends it, or lets it wait.
   * Takes the packet over.
   *
   * @param nextHop a gateway, a neighbour, or a broadcast or multicast address
   */
  void output(SkBuff skb, NetDevice dev, int nextHop);

  /**
   * Plays netif_rx: {@code skb}, looped back to this machine, is received in the next softirq as if
   * it had come from {@code skb.dev}; {@link SkBuff#data} is its IP header. Takes the packet over.
   */
  void netifRx(SkBuff skb);
}
