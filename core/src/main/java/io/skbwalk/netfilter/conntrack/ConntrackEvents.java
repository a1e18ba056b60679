// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Plays enum ip_conntrack_events: the bits of what happened to an entry
 * (include/uapi/linux/netfilter/nf_conntrack_common.h).
 */
public final class ConntrackEvents {
  /** IPCT_NEW: confirmed. */
  public static final int NEW = 1;

  /** IPCT_RELATED: confirmed, and expected by another. */
  public static final int RELATED = 1 << 1;

  /** IPCT_DESTROY: gone. */
  public static final int DESTROY = 1 << 2;

  /** IPCT_REPLY: first packet of the reply direction. */
  public static final int REPLY = 1 << 3;

  /** IPCT_ASSURED: became ASSURED. */
  public static final int ASSURED = 1 << 4;

  /** IPCT_PROTOINFO: the protocol's state changed. */
  public static final int PROTOINFO = 1 << 5;

  /** IPCT_HELPER: a helper was assigned. */
  public static final int HELPER = 1 << 6;

  /** IPCT_MARK: the mark changed. */
  public static final int MARK = 1 << 7;

  /** IPCT_SEQADJ: a sequence adjustment was added. */
  public static final int SEQADJ = 1 << 8;

  /** IPCT_SECMARK: the security mark changed. */
  public static final int SECMARK = 1 << 9;

  /** IPCT_LABEL: a label changed. */
  public static final int LABEL = 1 << 10;

  /** IPCT_SYNPROXY: what a SYNPROXY keeps changed. */
  public static final int SYNPROXY = 1 << 11;

  private ConntrackEvents() {}
}
