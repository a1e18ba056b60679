// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Plays enum ip_conntrack_status: the bits of an entry's status
 * (include/uapi/linux/netfilter/nf_conntrack_common.h).
 */
public final class ConntrackStatus {
  /** An expectation announced it. */
  public static final int IPS_EXPECTED = 1;

  /** Packets went both ways. */
  public static final int IPS_SEEN_REPLY = 1 << 1;

  /** Never dropped early. */
  public static final int IPS_ASSURED = 1 << 2;

  /** Is in the table: its first packet has left. */
  public static final int IPS_CONFIRMED = 1 << 3;

  /** Source NAT in the original direction. */
  public static final int IPS_SRC_NAT = 1 << 4;

  /** Destination NAT in the original direction. */
  public static final int IPS_DST_NAT = 1 << 5;

  /** Either NAT. */
  public static final int IPS_NAT_MASK = IPS_SRC_NAT | IPS_DST_NAT;

  /** Sequence numbers need adjustment. */
  public static final int IPS_SEQ_ADJUST = 1 << 6;

  /** Source NAT has been decided. */
  public static final int IPS_SRC_NAT_DONE = 1 << 7;

  /** Destination NAT has been decided. */
  public static final int IPS_DST_NAT_DONE = 1 << 8;

  /** Both have been decided. */
  public static final int IPS_NAT_DONE_MASK = IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;

  /** Has been taken out of the table. */
  public static final int IPS_DYING = 1 << 9;

  /** Its timeout is never renewed. */
  public static final int IPS_FIXED_TIMEOUT = 1 << 10;

  /** Is a template of the CT target. */
  public static final int IPS_TEMPLATE = 1 << 11;

  /** Lost a clash in the original direction; only replies find it (the former IPS_UNTRACKED). */
  public static final int IPS_NAT_CLASH = 1 << 12;

  /** Its helper was assigned explicitly. */
  public static final int IPS_HELPER = 1 << 13;

  private ConntrackStatus() {}
}
