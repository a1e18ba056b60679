// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.diff;

import io.skbwalk.replay.Fate;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.skb.DropReason;

/**
 * What became of a frame on one machine.
 *
 * @param fate null when it was not even sent
 * @param reason of a dropped one, else null
 * @param at the kernel function that dropped it, else null
 * @param rejected a REJECT rule dropped it, which tells the sender
 */
public record Outcome(Fate fate, DropReason reason, String at, boolean rejected) {
  /** Of a conversation that broke before it; see docs/scenarios.md. */
  public static final Outcome NOT_SENT = new Outcome(null, null, null, false);

  static Outcome of(FrameRecord record) {
    if (record == null) {
      return NOT_SENT;
    }
    if (record.fate != Fate.DROPPED) {
      return new Outcome(record.fate, null, null, false);
    }
    return new Outcome(
        record.fate,
        record.reason,
        record.at,
        byRule(record) && record.verdict != null && record.verdict.target().equals("REJECT"));
  }

  /** Did the tables drop it? */
  static boolean byRule(FrameRecord record) {
    return record.fate == Fate.DROPPED && record.reason == DropReason.NETFILTER_DROP;
  }

  /** {@code delivered}, {@code rejected}, {@code dropped (NO_SOCKET in tcp_v4_rcv)}. */
  public String label() {
    if (fate == null) {
      return "not sent";
    }
    if (rejected) {
      return "rejected";
    }
    return fate != Fate.DROPPED || reason == DropReason.NETFILTER_DROP
        ? fate.label
        : fate.label + " (" + reason + " in " + at + ")";
  }
}
