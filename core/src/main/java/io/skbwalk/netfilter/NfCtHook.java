// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.skb.SkBuff;

/** Plays struct nf_ct_hook: what the rest of the stack asks of connection tracking. */
public interface NfCtHook {
  /**
   * Plays nf_ct_attach (nf_conntrack_attach): {@code made}, an answer, belongs to the connection of
   * {@code because} as RELATED. Called only when {@code because} has a connection or is UNTRACKED.
   */
  void attach(SkBuff made, SkBuff because);

  /**
   * Plays nf_copy: {@code to}, a copy or fragment, refers to the same connection as {@code from}.
   */
  void copy(SkBuff to, SkBuff from);

  /** Plays nf_reset_ct: {@code skb} belongs to no connection any more and is not UNTRACKED. */
  void reset(SkBuff skb);

  /**
   * Plays nf_ct_set_closing: the connection of {@code skb} is about to be reset by this machine.
   */
  void setClosing(SkBuff skb);

  /**
   * Plays nf_ct_drop_unconfirmed: does another packet refer to the connection of {@code skb}, too,
   * while it is not in the table yet: what it answers, or an answer to it that waits? Such an entry
   * may be of one packet only, so {@code skb} cannot wait in a queue.
   */
  boolean sharesUnconfirmed(SkBuff skb);
}
