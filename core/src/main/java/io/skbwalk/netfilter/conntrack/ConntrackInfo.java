// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Plays enum ip_conntrack_info: what a packet is to its connection; the values of {@code
 * SkBuff.ctInfo} (include/uapi/linux/netfilter/nf_conntrack_common.h).
 */
public final class ConntrackInfo {
  /** Original direction of a connection that has seen an answer. */
  public static final byte IP_CT_ESTABLISHED = 0;

  /** Original direction: an expected connection, or an ICMP error about one. */
  public static final byte IP_CT_RELATED = 1;

  /** Original direction of a connection without an answer yet. */
  public static final byte IP_CT_NEW = 2;

  /** From here on: reply direction. */
  public static final byte IP_CT_IS_REPLY = 3;

  /** Reply direction of a connection. */
  public static final byte IP_CT_ESTABLISHED_REPLY = 3;

  /** Reply direction: an ICMP error about a connection. */
  public static final byte IP_CT_RELATED_REPLY = 4;

  /** Deliberately not tracked. */
  public static final byte IP_CT_UNTRACKED = 7;

  /** IP_CT_DIR_ORIGINAL. */
  public static final int ORIGINAL = 0;

  /** IP_CT_DIR_REPLY. */
  public static final int REPLY = 1;

  private ConntrackInfo() {}

  /** Plays CTINFO2DIR: {@link #ORIGINAL} or {@link #REPLY}. */
  public static int direction(int ctInfo) {
    return ctInfo >= IP_CT_IS_REPLY ? REPLY : ORIGINAL;
  }
}
