// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookFunction;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.HookRole;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.NfHookOps;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.List;

/**
 * Plays nf_defrag_ipv4.c: with tracking on, no rule sees a fragment; they are put together first.
 */
final class NfDefrag {
  /** IP_DEFRAG_CONNTRACK_IN, to which the zone is added (enum ip_defrag_users). */
  private static final int IP_DEFRAG_CONNTRACK_IN = 2;

  /** IP_DEFRAG_CONNTRACK_OUT, to which the zone is added. */
  private static final int IP_DEFRAG_CONNTRACK_OUT = IP_DEFRAG_CONNTRACK_IN + 0xFFFF + 1;

  private final Conntrack conntrack;
  private final Ipv4Operations ipv4;

  NfDefrag(Conntrack conntrack, Ipv4Operations ipv4) {
    this.conntrack = conntrack;
    this.ipv4 = ipv4;
  }

  /** Plays ipv4_defrag_ops. */
  List<NfHookOps> ops() {
    HookFunction function = (hook, skb, in, out) -> defragment(hook, skb);
    return List.of(
        new NfHookOps(
            Hook.PRE_ROUTING, HookPriority.CONNTRACK_DEFRAG, HookRole.DEFRAGMENT, function),
        new NfHookOps(
            Hook.LOCAL_OUT, HookPriority.CONNTRACK_DEFRAG, HookRole.DEFRAGMENT, function));
  }

  /** Plays ipv4_conntrack_defrag. */
  private int defragment(Hook hook, SkBuff skb) {
    if (!IpHeader.isFragment(skb)
        || skb.ctInfo == ConntrackInfo.IP_CT_UNTRACKED
        || skb.ct != 0 && !conntrack.has(skb.ct, ConntrackStatus.IPS_TEMPLATE)) {
      return Verdict.ACCEPT;
    }
    int zone = skb.ct == 0 ? 0 : conntrack.zone(skb.ct, ConntrackInfo.direction(skb.ctInfo));
    int user = (hook == Hook.PRE_ROUTING ? IP_DEFRAG_CONNTRACK_IN : IP_DEFRAG_CONNTRACK_OUT) + zone;
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.HookStep(
              hook.name(),
              HookPriority.CONNTRACK_DEFRAG,
              "defrag",
              "fragment from byte "
                  + IpHeader.fragmentOffset(skb)
                  + ((IpHeader.fragment(skb) & IpHeader.IP_MF) != 0 ? ", more follow" : ", last")));
    }
    return ipv4.defragment(skb, user) ? Verdict.ACCEPT : Verdict.STOLEN;
  }
}
