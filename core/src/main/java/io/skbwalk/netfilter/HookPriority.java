// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

/** Plays enum nf_ip_hook_priorities: smaller runs first. */
public final class HookPriority {
  /** nf_defrag_ipv4. */
  public static final int CONNTRACK_DEFRAG = -400;

  /** The raw table. */
  public static final int RAW = -300;

  /** nf_conntrack_in. */
  public static final int CONNTRACK = -200;

  /** The mangle table. */
  public static final int MANGLE = -150;

  /** Destination NAT. */
  public static final int NAT_DST = -100;

  /** The filter table. */
  public static final int FILTER = 0;

  /** The security table. */
  public static final int SECURITY = 50;

  /** Source NAT. */
  public static final int NAT_SRC = 100;

  /** Connection-tracking helpers. */
  public static final int CONNTRACK_HELPER = 300;

  /** nf_confirm. */
  public static final int CONNTRACK_CONFIRM = Integer.MAX_VALUE;

  private HookPriority() {}
}
