// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_NEW;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DST_NAT;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_DST_NAT_DONE;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_NAT_DONE_MASK;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_NAT_MASK;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SRC_NAT;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SRC_NAT_DONE;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.HookRole;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.netfilter.conntrack.NfNatHook;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays nf_nat_core.c, nf_nat_masquerade.c and nf_nat_redirect.c: binds each new connection to its
 * translation, once, and translates the packets of all.
 *
 * <p>PRE_ROUTING and LOCAL_OUT decide about the destination, LOCAL_IN and POST_ROUTING about the
 * source. The nat table is asked about the first packet only; a connection that no rule binds gets
 * a null binding, which keeps its addresses and, where replies could be mistaken for another's,
 * changes its source port. Later packets follow what the connection table says.
 */
public final class Nat implements NatEngine, NfNatHook {
  /** struct icmphdr and the quoted struct iphdr. */
  private static final int ICMP_AND_QUOTED_HEADER = IcmpHeader.LENGTH + IpHeader.MIN_LENGTH;

  private static final int LOOPBACK = 0x7F000001;

  private final Netfilter netfilter;
  private final Conntrack conntrack;
  private final Ipv4Operations ipv4;
  private final UniqueTuple unique;
  private final NatProtocols protocols = new NatProtocols();
  private final ConntrackTuple current = new ConntrackTuple();
  private final ConntrackTuple reply = new ConntrackTuple();
  private final ConntrackTuple target = new ConntrackTuple();
  private NatRules rules;

  /** An engine that does nothing before {@link #enable}. */
  public Nat(Net net, Netfilter netfilter, Conntrack conntrack, Ipv4Operations ipv4) {
    this.netfilter = netfilter;
    this.conntrack = conntrack;
    this.ipv4 = ipv4;
    this.unique = new UniqueTuple(conntrack, net.random);
  }

  /**
   * Plays nf_nat_ipv4_register_fn: hangs the hook functions in, the first time; from then on {@code
   * rules} are asked. Tracking must be enabled too.
   */
  public void enable(NatRules rules) {
    if (this.rules == null) {
      conntrack.setNat(this);
      netfilter.register(
          Hook.PRE_ROUTING, HookPriority.NAT_DST, HookRole.TRANSLATE, this::preRouting);
      netfilter.register(
          Hook.POST_ROUTING, HookPriority.NAT_SRC, HookRole.TRANSLATE, this::translate);
      netfilter.register(Hook.LOCAL_OUT, HookPriority.NAT_DST, HookRole.TRANSLATE, this::localOut);
      netfilter.register(Hook.LOCAL_IN, HookPriority.NAT_SRC, HookRole.TRANSLATE, this::translate);
    }
    this.rules = rules;
  }

  // ---- the hook functions -----------------------------------------------------------------------

  /** Plays nf_nat_ipv4_pre_routing. */
  private int preRouting(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    int destination = IpHeader.destination(skb);
    int verdict = translate(hook, skb, in, out);
    if (verdict == Verdict.ACCEPT && destination != IpHeader.destination(skb)) {
      skb.dropDst();
    }
    return verdict;
  }

  /** Plays nf_nat_ipv4_local_fn. */
  private int localOut(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    int verdict = translate(hook, skb, in, out);
    int ct = skb.ct;
    if (verdict == Verdict.ACCEPT && ct != 0) {
      int direction = ConntrackInfo.direction(skb.ctInfo);
      if (conntrack.destination(ct, direction) != conntrack.source(ct, 1 - direction)
          && !ipv4.routeMeHarder(skb)) {
        return Verdict.DROP;
      }
    }
    return verdict;
  }

  /** Plays nf_nat_ipv4_fn. */
  private int translate(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    if (skb.ct == 0) {
      return Verdict.ACCEPT;
    }
    int info = skb.ctInfo;
    boolean related = info == IP_CT_RELATED || info == IP_CT_RELATED_REPLY;
    if (related && IpHeader.protocol(skb) == IpHeader.IPPROTO_ICMP) {
      return translateError(hook, skb) ? Verdict.ACCEPT : Verdict.DROP;
    }
    if ((related || info == IP_CT_NEW) && !conntrack.has(skb.ct, doneBit(hook))) {
      int verdict = bindFirst(hook, skb, in, out);
      if (verdict != Verdict.ACCEPT) {
        return verdict;
      }
    } else if (leavesElsewhere(hook, skb, out)) {
      step(hook, skb, "masqueraded for another interface: the connection is forgotten");
      conntrack.killAccounted(skb.ct, info, skb);
      return Verdict.DROP;
    } else if (changesAt(hook, skb)) {
      step(hook, skb, "bound with the first packet, no rule is asked");
    }
    return mangle(hook, skb) ? Verdict.ACCEPT : Verdict.DROP;
  }

  /** Asks the rules; without an answer from them binds to what the connection is already. */
  private int bindFirst(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    int verdict = rules.evaluate(hook, skb, in, out);
    if (verdict != Verdict.ACCEPT || conntrack.has(skb.ct, doneBit(hook))) {
      return verdict;
    }
    int ct = skb.ct;
    boolean destination = isDestination(hook);
    int address = destination ? conntrack.source(ct, REPLY) : conntrack.destination(ct, REPLY);
    unique.range(NatRange.MAP_IPS, address, address, 0, 0, 0);
    return bind(skb, hook, destination);
  }

  /** Plays nf_nat_oif_changed. */
  private boolean leavesElsewhere(Hook hook, SkBuff skb, NetDevice out) {
    if (hook != Hook.POST_ROUTING || ConntrackInfo.direction(skb.ctInfo) != ORIGINAL) {
      return false;
    }
    int index = conntrack.masqueradeIndex(skb.ct);
    return index != 0 && index != out.ifindex;
  }

  private static boolean isDestination(Hook hook) {
    return hook == Hook.PRE_ROUTING || hook == Hook.LOCAL_OUT;
  }

  private static int doneBit(Hook hook) {
    return isDestination(hook) ? IPS_DST_NAT_DONE : IPS_SRC_NAT_DONE;
  }

  @Override
  public boolean changesAt(Hook hook, SkBuff skb) {
    int bit = isDestination(hook) ? IPS_DST_NAT : IPS_SRC_NAT;
    if (ConntrackInfo.direction(skb.ctInfo) == REPLY) {
      bit ^= IPS_NAT_MASK;
    }
    return conntrack.has(skb.ct, bit);
  }

  @Override
  public boolean mangle(Hook hook, SkBuff skb) {
    if (!changesAt(hook, skb)) {
      return true;
    }
    // It shall look like the inverse of what comes from the other side.
    conntrack.tuple(skb.ct, 1 - ConntrackInfo.direction(skb.ctInfo), target);
    target.invert(target);
    return protocols.mangle(skb, skb.networkHeader, target, isDestination(hook), false);
  }

  /**
   * Plays nf_nat_icmp_reply_translation: an error about a translated connection, and the packet
   * that it quotes; false when it is to be dropped.
   */
  private boolean translateError(Hook hook, SkBuff skb) {
    int icmp = skb.networkHeader + IpHeader.headerLength(skb);
    if (skb.tail < icmp + ICMP_AND_QUOTED_HEADER) {
      return false;
    }
    if (!skb.checksumUnnecessary()) {
      if (Checksum.of(skb.head, icmp, skb.tail - icmp) != 0) {
        step(hook, skb, "an ICMP error with a wrong checksum is not translated");
        return false;
      }
      skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
    }
    int ct = skb.ct;
    int status = conntrack.status(ct);
    if (skb.u8(icmp) == IcmpHeader.REDIRECT
        && ((status & IPS_NAT_DONE_MASK) != IPS_NAT_DONE_MASK || (status & IPS_NAT_MASK) != 0)) {
      step(hook, skb, "a redirect for a translated connection would mislead");
      return false;
    }
    if (!changesAt(hook, skb)) {
      return true;
    }
    step(hook, skb, "bound with the first packet; the quoted one is translated, too");
    boolean destination = isDestination(hook);
    int quoted = icmp + IcmpHeader.LENGTH;
    // The quoted packet went the other way, so its other end is the one that this hook changes.
    conntrack.tuple(ct, 1 - ConntrackInfo.direction(skb.ctInfo), target);
    if (!protocols.mangle(skb, quoted, target, !destination, true)) {
      return false;
    }
    skb.setU16(icmp + IcmpHeader.CHECKSUM_OFFSET, 0);
    skb.setU16(icmp + IcmpHeader.CHECKSUM_OFFSET, Checksum.of(skb.head, icmp, skb.tail - icmp));
    target.invert(target);
    target.protocol = IpHeader.IPPROTO_ICMP;
    return protocols.mangle(skb, skb.networkHeader, target, destination, false);
  }

  // ---- binding ----------------------------------------------------------------------------------

  @Override
  public int setup(SkBuff skb, Hook hook, NatRange range, boolean destination) {
    unique.range(
        range.flags(),
        range.minAddress(),
        range.maxAddress(),
        range.minPort(),
        range.maxPort(),
        range.basePort());
    return bind(skb, hook, destination);
  }

  @Override
  public int masquerade(SkBuff skb, Hook hook, NatRange range, NetDevice out) {
    int ct = skb.ct;
    // DHCP clients send from 0.0.0.0 and must go on doing so.
    if (conntrack.source(ct, ORIGINAL) == 0) {
      return Verdict.ACCEPT;
    }
    int address = ipv4.selectAddress(out, ipv4.nextHop(skb));
    if (address == 0) {
      if (skb.trace != null) {
        step(hook, skb, out.name + " ate my IP address");
      }
      return Verdict.DROP;
    }
    if (!conntrack.has(ct, IPS_CONFIRMED)) {
      conntrack.setMasqueradeIndex(ct, out.ifindex);
    }
    unique.range(
        range.flags() | NatRange.MAP_IPS, address, address, range.minPort(), range.maxPort(), 0);
    return bind(skb, hook, false);
  }

  @Override
  public int redirect(SkBuff skb, Hook hook, NatRange range, NetDevice in) {
    int address = hook == Hook.LOCAL_OUT ? LOOPBACK : ipv4.firstAddress(in);
    if (address == 0) {
      if (skb.trace != null) {
        step(hook, skb, in.name + " has no address to redirect to");
      }
      return Verdict.DROP;
    }
    unique.range(
        range.flags() | NatRange.MAP_IPS, address, address, range.minPort(), range.maxPort(), 0);
    return bind(skb, hook, true);
  }

  @Override
  public int netmap(SkBuff skb, Hook hook, NatRange range) {
    boolean destination = isDestination(hook);
    int hostBits = range.minAddress() ^ range.maxAddress();
    int host = (destination ? IpHeader.destination(skb) : IpHeader.source(skb)) & hostBits;
    int address = range.minAddress() & ~hostBits | host;
    unique.range(
        range.flags() | NatRange.MAP_IPS, address, address, range.minPort(), range.maxPort(), 0);
    return bind(skb, hook, destination);
  }

  @Override
  public void setup(int ct, boolean destination, int address) {
    unique.range(NatRange.MAP_IPS, address, address, 0, 0, 0);
    bind(ct, destination);
  }

  @Override
  public void setup(int ct, boolean destination, int address, int minPort, int maxPort) {
    int flags = NatRange.MAP_IPS | NatRange.PROTO_SPECIFIED;
    unique.range(flags, address, address, minPort, maxPort, 0);
    bind(ct, destination);
  }

  /** Binds the packet's connection to the range that {@link #unique} holds; a verdict. */
  private int bind(SkBuff skb, Hook hook, boolean destination) {
    if (conntrack.has(skb.ct, IPS_CONFIRMED)) {
      return Verdict.ACCEPT;
    }
    if (conntrack.has(skb.ct, destination ? IPS_DST_NAT_DONE : IPS_SRC_NAT_DONE)) {
      return Verdict.DROP;
    }
    boolean changed = bind(skb.ct, destination);
    if (skb.trace != null) {
      step(hook, skb, changed ? "bound, replies will be " + reply : "null binding");
    }
    return Verdict.ACCEPT;
  }

  /** Plays nf_nat_setup_info for a new connection; true when anything changes. */
  private boolean bind(int ct, boolean destination) {
    conntrack.tuple(ct, REPLY, current);
    current.invert(current);
    unique.choose(ct, current, destination);
    boolean changed = !unique.chosen.sameAs(current);
    if (changed) {
      reply.invert(unique.chosen);
      conntrack.setReplyTuple(ct, reply);
      conntrack.addStatus(ct, destination ? IPS_DST_NAT : IPS_SRC_NAT);
    }
    if (!destination) {
      conntrack.linkBySource(ct);
    }
    conntrack.addStatus(ct, destination ? IPS_DST_NAT_DONE : IPS_SRC_NAT_DONE);
    return changed;
  }

  private static void step(Hook hook, SkBuff skb, String text) {
    if (skb.trace != null) {
      int priority = isDestination(hook) ? HookPriority.NAT_DST : HookPriority.NAT_SRC;
      skb.trace.on(new TraceEvent.HookStep(hook.name(), priority, "nat", text));
    }
  }
}
