// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

/**
 * Plays enum nf_inet_hooks: the five places where hook functions see a packet, by the kernel's
 * numbers.
 */
public enum Hook {
  /** NF_INET_PRE_ROUTING: as it came in, before routing. */
  PRE_ROUTING("PREROUTING"),
  /** NF_INET_LOCAL_IN: for this machine. */
  LOCAL_IN("INPUT"),
  /** NF_INET_FORWARD: for another machine. */
  FORWARD("FORWARD"),
  /** NF_INET_LOCAL_OUT: made by this machine. */
  LOCAL_OUT("OUTPUT"),
  /** NF_INET_POST_ROUTING: about to leave. */
  POST_ROUTING("POSTROUTING");

  /** The built-in chain of that hook. */
  public final String chain;

  /** 1 &lt;&lt; ordinal, for sets of hooks. */
  public final int bit = 1 << ordinal();

  Hook(String chain) {
    this.chain = chain;
  }
}
