// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.SkBuff;

/** Plays nf_hookfn: something that is asked about every packet at a hook. */
@FunctionalInterface
public interface HookFunction {
  /**
   * Judges {@code skb}, whose {@code data} stands at the IP header.
   *
   * @param in the interface it came in on, null in LOCAL_OUT and for own packets in POST_ROUTING
   * @param out the interface it will leave on, null in PRE_ROUTING and LOCAL_IN
   * @return one of {@link Verdict}'s constants
   */
  int hook(Hook hook, SkBuff skb, NetDevice in, NetDevice out);
}
