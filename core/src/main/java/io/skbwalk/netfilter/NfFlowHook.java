// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.SkBuff;

/**
 * Knows what a connection's earlier packets met at a hook, so that the functions there need not
 * judge the next one that is like them.
 */
public interface NfFlowHook {
  /**
   * A packet has come to a hook.
   *
   * @return the index of the first function that is still to be asked; as many as there are when
   *     the packet is accepted, 0 when nothing is known
   */
  int begin(Hook hook, SkBuff skb, NetDevice in, NetDevice out);

  /**
   * After {@link #begin} has returned more than 0 and fewer than all: what the function of that
   * index has said, which was asked already; -1 when it was not.
   */
  int asked();

  /** All functions of the hook have accepted a packet whose {@link SkBuff#flow} is negative. */
  void end(Hook hook, SkBuff skb, NetDevice in, NetDevice out);

  /** Other functions than before are asked at {@code hook}. */
  void changed(Hook hook, NfHookOps[] functions);
}
