// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.skb.SkBuff;

/** Plays okfn: the rest of the path behind a hook, run when every hook function accepted. */
@FunctionalInterface
public interface OkFunction {
  /** Takes the packet over. */
  void ok(SkBuff skb);
}
