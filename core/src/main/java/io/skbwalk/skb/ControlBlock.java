// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/** Plays the cb[] of struct sk_buff: what one layer remembers about a packet while it has it. */
public interface ControlBlock {
  /**
   * Copies this block for a copy of the packet.
   *
   * @param old the block that the copy's buffer has from an earlier use, or null; reused when it
   *     fits
   * @return the copy's block
   */
  ControlBlock copyTo(ControlBlock old);
}
