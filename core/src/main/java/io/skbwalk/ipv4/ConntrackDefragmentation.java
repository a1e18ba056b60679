// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays nf_defrag_ipv4.c: joins fragments before any rule sees them, because connection tracking
 * needs whole packets. It runs before the raw table, so no zone is known yet.
 */
public final class ConntrackDefragmentation {
  private static final String NAME = "defrag";

  private final Ipv4Operations ipv4;

  private ConntrackDefragmentation(Ipv4Operations ipv4) {
    this.ipv4 = ipv4;
  }

  /** Plays nf_defrag_ipv4_enable: hangs it into PRE_ROUTING and LOCAL_OUT. */
  public static void register(Netfilter netfilter, Ipv4Operations ipv4) {
    ConntrackDefragmentation defragmentation = new ConntrackDefragmentation(ipv4);
    netfilter.register(Hook.PRE_ROUTING, HookPriority.CONNTRACK_DEFRAG, defragmentation::gather);
    netfilter.register(Hook.LOCAL_OUT, HookPriority.CONNTRACK_DEFRAG, defragmentation::gather);
  }

  private int gather(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    // Looped back: it was whole when it was tracked.
    if (skb.ct != 0 || skb.ctInfo == ConntrackInfo.IP_CT_UNTRACKED) {
      return Verdict.ACCEPT;
    }
    if (!IpHeader.isFragment(skb)) {
      return Verdict.ACCEPT;
    }
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.HookStep(
              hook.name(),
              HookPriority.CONNTRACK_DEFRAG,
              NAME,
              "a fragment: offset " + IpHeader.fragmentOffset(skb)));
    }
    int user =
        hook == Hook.PRE_ROUTING
            ? IpFragments.IP_DEFRAG_CONNTRACK_IN
            : IpFragments.IP_DEFRAG_CONNTRACK_OUT;
    return ipv4.defragment(skb, user) ? Verdict.ACCEPT : Verdict.STOLEN;
  }
}
