// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

import io.skbwalk.skb.DropReason;

/** Why a NIC does not let a frame in; the kernel sees at most a counter of it. */
public enum Refusal {
  /** The destination address is neither its own nor a group's, and it is not promiscuous. */
  ADDRESS_FILTER(DropReason.OTHERHOST),
  /** The frame check sequence is wrong: rx_crc_errors. */
  CRC_ERROR(DropReason.DEV_HDR),
  /** Shorter than an Ethernet header, or longer than any packet: rx_length_errors. */
  LENGTH_ERROR(DropReason.HDR_TRUNC),
  /** No free slot in the receive ring: rx_missed. */
  RING_FULL(DropReason.FULL_RING);

  /** The kernel's reason that comes nearest, for reports that sort all lost frames by reason. */
  public final DropReason reason;

  Refusal(DropReason reason) {
    this.reason = reason;
  }
}
