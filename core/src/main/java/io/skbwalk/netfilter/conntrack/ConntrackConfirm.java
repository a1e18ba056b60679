// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DYING;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_FIXED_TIMEOUT;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_NAT_CLASH;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEQ_ADJUST;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_TEMPLATE;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays nf_confirm and __nf_conntrack_confirm: the packet got through, so its connection enters the
 * table, or loses against one that was faster.
 *
 * <p>With one packet under way at a time a clash is one of reply tuples: between zones that share
 * the direction of replies, and where NAT may choose no other port. What Linux resolves needs two
 * first packets of one connection under way at once (two processors, or a queue whose program holds
 * both): here queues answer at once, so that only packets which a hook function sends in between
 * could meet so, and those are tracked with what they answer or not at all.
 */
final class ConntrackConfirm {
  private final Conntrack conntrack;
  private final ConntrackTuple original = new ConntrackTuple();
  private final ConntrackTuple reply = new ConntrackTuple();

  ConntrackConfirm(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** Plays nf_confirm and nf_conntrack_confirm. */
  int confirm(Hook hook, SkBuff skb) {
    int ct = skb.ct;
    if (ct == 0) {
      return Verdict.ACCEPT;
    }
    int verdict = helpAndAdjust(hook, skb);
    if (verdict != Verdict.ACCEPT) {
      return verdict;
    }
    if (!conntrack.has(ct, IPS_CONFIRMED)) {
      verdict = insert(hook, skb);
      ct = skb.ct;
    }
    if (verdict == Verdict.ACCEPT) {
      conntrack.events.deliver(ct);
    }
    return verdict;
  }

  /** The first half of nf_confirm: a helper may read the packet, and its numbers may shift. */
  private int helpAndAdjust(Hook hook, SkBuff skb) {
    int ct = skb.ct;
    // What the helper finds out about this packet shifts those behind it.
    boolean adjusts = conntrack.has(ct, IPS_SEQ_ADJUST) && !Conntrack.isLoopback(skb);
    ConntrackHelp help = conntrack.help(ct);
    // Helpers do not expect ICMP errors; those of the original direction still get to them.
    if (help == null && !adjusts || skb.ctInfo == IP_CT_RELATED_REPLY) {
      return Verdict.ACCEPT;
    }
    int offset = skb.networkHeader + IpHeader.headerLength(skb);
    if (help != null) {
      int verdict = help.helper().help(hook, skb, offset, ct, skb.ctInfo);
      if (verdict != Verdict.ACCEPT) {
        return verdict;
      }
    }
    return adjusts && !conntrack.sequenceAdjustment().adjust(hook, skb, offset)
        ? Verdict.DROP
        : Verdict.ACCEPT;
  }

  /** Plays __nf_conntrack_confirm: the packet got through, so its connection enters the table. */
  private int insert(Hook hook, SkBuff skb) {
    int ct = skb.ct;
    if (ConntrackInfo.direction(skb.ctInfo) != ORIGINAL || conntrack.has(ct, IPS_TEMPLATE)) {
      return Verdict.ACCEPT;
    }
    if (conntrack.has(ct, IPS_DYING)) {
      return Verdict.DROP;
    }
    int originalZone = conntrack.zone(ct, ORIGINAL);
    int replyZone = conntrack.zone(ct, REPLY);
    conntrack.tuple(ct, ORIGINAL, original);
    int winner = conntrack.table.find(original, originalZone, originalZone, replyZone);
    conntrack.tuple(ct, REPLY, reply);
    int replyWinner = conntrack.table.find(reply, replyZone, originalZone, replyZone);
    if (winner != 0 || replyWinner != 0) {
      return resolveClash(hook, skb, winner != 0 ? winner : replyWinner, replyWinner);
    }
    conntrack.memory.set(
        ct,
        ConntrackMemory.TIMEOUT,
        conntrack.memory.get(ct, ConntrackMemory.TIMEOUT) + (int) conntrack.net.clock.jiffies());
    enter(ct);
    conntrack.table.add(ct, ORIGINAL);
    conntrack.table.add(ct, REPLY);
    conntrack.cacheEvent(
        ct, conntrack.master(ct) != 0 ? ConntrackEvents.RELATED : ConntrackEvents.NEW);
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.HookStep(
              hook.name(),
              HookPriority.CONNTRACK_CONFIRM,
              "confirm",
              "the connection enters the table, timeout " + conntrack.timeoutSeconds(ct) + " s"));
    }
    return Verdict.ACCEPT;
  }

  /** Plays __nf_conntrack_insert_prepare, the CONFIRMED bit and the start of the timeout. */
  private void enter(int ct) {
    conntrack.get(ct);
    conntrack.addStatus(ct, IPS_CONFIRMED);
    if ((conntrack.memory.get(ct, ConntrackMemory.META) & ConntrackMemory.META_START) != 0) {
      conntrack.memory.setStart(ct, conntrack.net.clock.now());
    }
    conntrack.wheel.add(ct);
  }

  /** Plays nf_ct_resolve_clash: another packet's entry was faster. */
  private int resolveClash(Hook hook, SkBuff skb, int winner, int replyWinner) {
    int loser = skb.ct;
    int verdict = Verdict.DROP;
    String text = "clash with a connection in the table";
    int protocol = conntrack.protocol(loser);
    // TCP, ICMP and SCTP do not allow_clash.
    if (protocol != IpHeader.IPPROTO_TCP
        && protocol != IpHeader.IPPROTO_ICMP
        && protocol != Conntrack.IPPROTO_SCTP
        && protocol != ConntrackIn.IPPROTO_GRE) {
      if (merge(skb, winner >>> 1, loser)
          || replyWinner != 0 && merge(skb, replyWinner >>> 1, loser)) {
        verdict = Verdict.ACCEPT;
        text = "clash: the same connection is in the table already";
      } else if (replyWinner == 0) {
        conntrack.addStatus(loser, IPS_FIXED_TIMEOUT | IPS_NAT_CLASH);
        conntrack.memory.set(
            loser, ConntrackMemory.TIMEOUT, (int) conntrack.net.clock.jiffies() + Clock.HZ);
        enter(loser);
        conntrack.table.add(loser, REPLY);
        verdict = Verdict.ACCEPT;
        text = "clash in the original direction: enters the table for replies only, for 1 s";
      }
    }
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.HookStep(hook.name(), HookPriority.CONNTRACK_CONFIRM, "confirm", text));
    }
    return verdict;
  }

  /**
   * Plays nf_ct_can_merge and __nf_ct_resolve_clash: the packet goes over to the entry that won.
   */
  private boolean merge(SkBuff skb, int winner, int loser) {
    boolean same =
        conntrack.sameTuple(winner, loser, ORIGINAL)
            && conntrack.sameTuple(winner, loser, REPLY)
            && conntrack.zone(winner, ORIGINAL) == conntrack.zone(loser, ORIGINAL)
            && conntrack.zone(winner, REPLY) == conntrack.zone(loser, REPLY);
    boolean reverse =
        conntrack.sameTuple(winner, ORIGINAL, loser, REPLY)
            && conntrack.sameTuple(winner, REPLY, loser, ORIGINAL)
            && conntrack.zone(winner, ORIGINAL) == conntrack.zone(loser, REPLY)
            && conntrack.zone(winner, REPLY) == conntrack.zone(loser, ORIGINAL);
    if (!same && !reverse) {
      return false;
    }
    if (conntrack.accounted(loser)) {
      int direction = ConntrackInfo.direction(skb.ctInfo);
      conntrack.account(winner, direction, (int) conntrack.memory.bytes(loser, direction));
    }
    conntrack.get(winner);
    conntrack.put(loser);
    skb.ct = winner;
    return true;
  }
}
