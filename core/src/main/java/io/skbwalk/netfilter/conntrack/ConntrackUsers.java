// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.HookRole;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.NfHookOps;
import io.skbwalk.skb.IpHeader;
import java.util.List;

/**
 * Plays nf_ct_netns_get, nf_ct_netns_put and nf_defrag_ipv4_enable with their counts of users
 * (users4): the hook functions of tracking are there while a rule needs them.
 *
 * <p>When the last such rule goes, the connections stay, run out in their time, and see no packet.
 */
final class ConntrackUsers {
  private final Conntrack conntrack;
  private final Netfilter netfilter;
  private final List<NfHookOps> trackingOps;
  private List<NfHookOps> defragOps = List.of();
  private boolean tracks;
  private boolean defragments;

  ConntrackUsers(
      Conntrack conntrack,
      Netfilter netfilter,
      ConntrackIn tracking,
      ConntrackConfirm confirmation) {
    this.conntrack = conntrack;
    this.netfilter = netfilter;
    // ipv4_conntrack_ops.
    trackingOps =
        List.of(
            new NfHookOps(Hook.PRE_ROUTING, HookPriority.CONNTRACK, HookRole.TRACK, tracking::in),
            new NfHookOps(Hook.LOCAL_OUT, HookPriority.CONNTRACK, HookRole.TRACK, tracking::local),
            new NfHookOps(
                Hook.POST_ROUTING,
                HookPriority.CONNTRACK_CONFIRM,
                HookRole.CONFIRM,
                (hook, skb, in, out) -> confirmation.confirm(hook, skb)),
            new NfHookOps(
                Hook.LOCAL_IN,
                HookPriority.CONNTRACK_CONFIRM,
                HookRole.CONFIRM,
                (hook, skb, in, out) -> confirmation.confirm(hook, skb)));
  }

  /** Sets who puts fragments together. */
  void setIpv4(Ipv4Operations ipv4) {
    defragOps = new NfDefrag(conntrack, ipv4).ops();
  }

  /**
   * From now on rules need this, or need it no longer.
   *
   * @param tracking needs reassembly, too
   */
  void need(boolean tracking, boolean reassembly) {
    if (defragments != (tracking || reassembly)) {
      defragments = !defragments;
      hang(defragOps, defragments);
    }
    if (tracks != tracking) {
      tracks = tracking;
      hang(trackingOps, tracks);
      if (tracks) {
        netfilter.setConntrack(conntrack);
        forgetWindows();
      }
    }
  }

  /** Is tracking on? */
  boolean tracks() {
    return tracks;
  }

  private void hang(List<NfHookOps> ops, boolean in) {
    if (in) {
      netfilter.register(ops);
    } else {
      netfilter.unregister(ops);
    }
  }

  /** Plays nf_ct_tcp_fixup: nobody has watched how far established connections have come. */
  private void forgetWindows() {
    for (int ct = conntrack.first(); ct != 0; ct = conntrack.next(ct)) {
      if (conntrack.protocol(ct) == IpHeader.IPPROTO_TCP
          && TcpConnection.state(conntrack.memory, ct) == TcpStates.ESTABLISHED) {
        TcpConnection.forgetWindows(conntrack.memory, ct);
      }
    }
  }
}
