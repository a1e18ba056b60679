// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_NEW;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_RELATED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_UNTRACKED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_EXPECTED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEEN_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_TEMPLATE;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/** Plays nf_conntrack_in and what it calls: which connection a packet belongs to. */
final class ConntrackIn {
  static final int IPPROTO_GRE = 47;
  private static final int IPPROTO_ICMPV6 = 58;
  static final int IPPROTO_UDPLITE = 136;

  private final Conntrack conntrack;
  private final ConntrackTuple packetTuple = new ConntrackTuple();
  private final ConntrackTuple replyTuple = new ConntrackTuple();
  private final ConntrackTuple described = new ConntrackTuple();
  private final TcpTracker tcp;
  private final UdpTracker udp;
  private final IcmpTracker icmp;
  private final GreTracker gre;
  private final SctpTracker sctp;
  private boolean tableFull;

  /** The packet's node where it has been looked up already, else 0. */
  private int known;

  ConntrackIn(Conntrack conntrack, TcpTracker tcp) {
    this.conntrack = conntrack;
    this.tcp = tcp;
    udp = new UdpTracker(conntrack);
    icmp = new IcmpTracker(conntrack);
    gre = new GreTracker(conntrack);
    sctp = new SctpTracker(conntrack);
  }

  /** Plays ipv4_conntrack_local. */
  int local(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    if (IpHeader.isFragment(skb)) {
      // A socket with IP_NODEFRAG sent it: not tracked.
      if (skb.ct != 0 && conntrack.has(skb.ct, IPS_TEMPLATE)) {
        conntrack.put(skb);
      }
      return Verdict.ACCEPT;
    }
    return in(hook, skb, in, out);
  }

  /** Plays nf_conntrack_in: which connection is this packet of? */
  int in(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    int template = skb.ct;
    if (template != 0 || skb.ctInfo == IP_CT_UNTRACKED) {
      if (skb.ctInfo == IP_CT_UNTRACKED || !conntrack.has(template, IPS_TEMPLATE)) {
        if (skb.trace != null) {
          step(
              skb,
              hook,
              skb.ctInfo == IP_CT_UNTRACKED ? "UNTRACKED" : "already known: " + describe(skb));
        }
        return Verdict.ACCEPT;
      }
      skb.ct = 0;
      skb.ctInfo = 0;
    }
    conntrack.atHand(in, out);
    int verdict = track(template, hook, skb);
    if (template != 0) {
      conntrack.put(template);
    }
    return verdict;
  }

  /** The same for a packet of no connection yet that belongs to {@code node}. */
  int in(Hook hook, SkBuff skb, NetDevice in, NetDevice out, int node) {
    conntrack.atHand(in, out);
    known = node;
    int verdict = track(0, hook, skb);
    known = 0;
    return verdict;
  }

  private int track(int template, Hook hook, SkBuff skb) {
    int offset = skb.networkHeader + IpHeader.headerLength(skb);
    if (IpHeader.fragmentOffset(skb) != 0 || offset > skb.tail) {
      return invalid(hook, skb, "a fragment or a header that is not there");
    }
    int zone = 0;
    int directions = Conntrack.ZONE_DIR_BOTH;
    if (template != 0) {
      int meta = conntrack.memory.get(template, ConntrackMemory.META);
      zone =
          (meta & ConntrackMemory.META_ZONE_FROM_MARK) != 0
              ? skb.mark & 0xFFFF
              : meta >>> ConntrackMemory.META_ZONE_SHIFT & 0xFFFF;
      directions = meta >>> ConntrackMemory.META_DIR_SHIFT & Conntrack.ZONE_DIR_BOTH;
    }
    int protocol = IpHeader.protocol(skb);
    if (protocol == IpHeader.IPPROTO_ICMP) {
      if (!icmp.error(hook, skb, offset, zone, directions)) {
        return invalid(hook, skb, null);
      }
      if (skb.ct != 0) {
        if (skb.trace != null) {
          step(skb, hook, describe(skb));
        }
        return Verdict.ACCEPT;
      }
    }
    while (true) {
      if (known != 0) {
        attach(skb, known);
        known = 0;
      } else if (!tupleOf(
          conntrack.greKeys(), skb, skb.networkHeader, offset, protocol, packetTuple)) {
        return invalid(hook, skb, "no ports or keys to know it by");
      } else if (!resolve(skb, template, zone, directions)) {
        if (tableFull) {
          tableFull = false;
          if (skb.trace != null) {
            step(skb, hook, "table full, dropping packet");
          }
          return Verdict.DROP;
        }
        return invalid(hook, skb, "cannot be answered, so it begins no connection");
      }
      int ct = skb.ct;
      int before = skb.trace == null ? 0 : conntrack.protocolState(ct);
      boolean fresh = !conntrack.has(ct, IPS_CONFIRMED);
      int verdict = handle(protocol, hook, skb, offset);
      if (verdict <= 0) {
        conntrack.put(skb);
        if (verdict == -Verdict.REPEAT) {
          if (skb.trace != null) {
            step(skb, hook, "the closed connection is forgotten, looked up again");
          }
          continue;
        }
        if (verdict == Verdict.DROP) {
          return Verdict.DROP;
        }
        return invalid(hook, skb, null);
      }
      if (skb.ctInfo == IP_CT_ESTABLISHED_REPLY && !conntrack.has(ct, IPS_SEEN_REPLY)) {
        conntrack.addStatus(ct, IPS_SEEN_REPLY);
        conntrack.cacheEvent(ct, ConntrackEvents.REPLY);
      }
      if (skb.trace != null) {
        trace(hook, skb, before, fresh);
      }
      return Verdict.ACCEPT;
    }
  }

  /** Plays resolve_normal_ct; false when there is and can be no entry, or the table is full. */
  private boolean resolve(SkBuff skb, int template, int zone, int directions) {
    int node = conntrack.find(packetTuple, zone, directions);
    if (node == 0) {
      int ct = init(packetTuple, template, zone, directions);
      if (ct == 0) {
        return false;
      }
      skb.ct = ct;
      skb.ctInfo = conntrack.has(ct, IPS_EXPECTED) ? IP_CT_RELATED : IP_CT_NEW;
      return true;
    }
    attach(skb, node);
    return true;
  }

  /** The packet belongs to a connection of the table. */
  private void attach(SkBuff skb, int node) {
    int ct = node >>> 1;
    int status = conntrack.status(ct);
    conntrack.set(
        skb,
        ct,
        (node & 1) == REPLY
            ? IP_CT_ESTABLISHED_REPLY
            : (status & IPS_SEEN_REPLY) != 0
                ? IP_CT_ESTABLISHED
                : (status & IPS_EXPECTED) != 0 ? IP_CT_RELATED : IP_CT_NEW);
  }

  /** Plays init_conntrack: an unconfirmed entry with one reference; 0 when there can be none. */
  private int init(ConntrackTuple tuple, int template, int zone, int directions) {
    if (!replyTuple.invert(tuple)) {
      return 0;
    }
    int ct = conntrack.allocate(tuple, replyTuple, zone, directions, template);
    tableFull = ct == 0;
    if (tableFull) {
      return 0;
    }
    if (template != 0 && conntrack.hasSynproxy(template)) {
      conntrack.addSynproxy(ct);
    }
    ConntrackExpect expect = conntrack.expectations().take(tuple, zone);
    if (expect != null) {
      fulfil(expect, ct);
    } else if (template != 0 && conntrack.help(template) != null) {
      conntrack.setHelper(ct, conntrack.help(template).helper());
    }
    return ct;
  }

  /** A connection that was expected takes after its master. */
  private void fulfil(ConntrackExpect expect, int ct) {
    conntrack.addStatus(ct, IPS_EXPECTED);
    conntrack.get(expect.master);
    conntrack.setExtension(ct, ConntrackExtensions.MASTER, expect.master);
    if (expect.assignHelper != null) {
      conntrack.setHelper(ct, expect.assignHelper);
    }
    conntrack.memory.set(ct, ConntrackMemory.MARK, conntrack.mark(expect.master));
    int secmark = conntrack.secmark(expect.master);
    if (secmark != 0) {
      conntrack.setExtension(ct, ConntrackExtensions.SECMARK, secmark);
    }
    if (expect.expectFunction != null) {
      expect.expectFunction.expected(ct, expect);
    }
  }

  /** Plays nf_ct_get_tuple: what the packet is known by; false when it is too short. */
  static boolean tupleOf(
      GreKeymap keys, SkBuff skb, int network, int offset, int protocol, ConntrackTuple tuple) {
    tuple.source = skb.u32(network + IpHeader.SOURCE_OFFSET);
    tuple.destination = skb.u32(network + IpHeader.DESTINATION_OFFSET);
    tuple.protocol = protocol;
    switch (protocol) {
      case IpHeader.IPPROTO_TCP:
      case IpHeader.IPPROTO_UDP:
      case IPPROTO_UDPLITE:
      case Conntrack.IPPROTO_SCTP:
        if (offset + 4 > skb.tail) {
          return false;
        }
        tuple.ports(skb.u32(offset));
        return true;
      case IpHeader.IPPROTO_ICMP:
        if (offset + IcmpHeader.LENGTH > skb.tail) {
          return false;
        }
        tuple.sourcePort = skb.u16(offset + IcmpHeader.ID_OFFSET);
        tuple.destinationPort = skb.u16(offset);
        return true;
      case IPPROTO_GRE:
        return GreTracker.tuple(keys, skb, offset, tuple);
      case IPPROTO_ICMPV6:
        // Its tracker takes nothing that comes in IPv4, so it is always invalid.
        return false;
      default:
        tuple.sourcePort = 0;
        tuple.destinationPort = 0;
        return true;
    }
  }

  /** Plays nf_conntrack_handle_packet. */
  private int handle(int protocol, Hook hook, SkBuff skb, int offset) {
    switch (protocol) {
      case IpHeader.IPPROTO_TCP:
        return tcp.packet(hook, skb, offset);
      case IpHeader.IPPROTO_UDP:
        return udp.packet(hook, skb, offset);
      case IPPROTO_UDPLITE:
        return udp.litePacket(hook, skb, offset);
      case IpHeader.IPPROTO_ICMP:
        return icmp.packet(skb);
      case IPPROTO_GRE:
        return gre.packet(skb);
      case Conntrack.IPPROTO_SCTP:
        return sctp.packet(hook, skb, offset);
      default:
        int[] timeouts = conntrack.timeouts(skb.ct, conntrack.sysctls.generic);
        conntrack.refresh(skb.ct, skb.ctInfo, skb, timeouts[0]);
        return Verdict.ACCEPT;
    }
  }

  private int invalid(Hook hook, SkBuff skb, String reason) {
    if (skb.trace != null) {
      String why = conntrack.reason() != null ? conntrack.reason() : reason;
      step(skb, hook, why == null ? "INVALID" : "INVALID: " + why);
    }
    return Verdict.ACCEPT;
  }

  private void trace(Hook hook, SkBuff skb, int before, boolean fresh) {
    StringBuilder text = new StringBuilder(96).append(describe(skb));
    int after = conntrack.protocolState(skb.ct);
    if (!fresh && before != after) {
      text.append(", state ")
          .append(
              conntrack.protocol(skb.ct) == Conntrack.IPPROTO_SCTP
                  ? SctpTracker.NAMES[before]
                  : TcpStates.NAMES[before])
          .append(" -> ")
          .append(conntrack.protocolStateName(skb.ct));
    }
    if (conntrack.reason() != null) {
      text.append(", ").append(conntrack.reason());
    }
    step(skb, hook, text.toString());
  }

  private String describe(SkBuff skb) {
    int direction = ConntrackInfo.direction(skb.ctInfo);
    conntrack.tuple(skb.ct, direction, described);
    String state = conntrack.protocolStateName(skb.ct);
    return Conntrack.stateName(skb)
        + (direction == REPLY ? " (reply) " : " ")
        + ConntrackPrinter.protocolName(described.protocol)
        + (state.isEmpty() ? " " : " " + state + " ")
        + described
        + (conntrack.zoneId(skb.ct) == 0 ? "" : " in zone " + conntrack.zoneId(skb.ct));
  }

  private static void step(SkBuff skb, Hook hook, String text) {
    skb.trace.on(new TraceEvent.HookStep(hook.name(), HookPriority.CONNTRACK, "conntrack", text));
  }
}
