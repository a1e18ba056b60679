// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.device.NetDevice;
import io.skbwalk.ipv4.route.DeviceSetting;
import io.skbwalk.ipv4.route.FibRoute;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.Routing;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays net/ipv4/ip_options.c: IP options (RFC 791, 3.1; RFC 2113) checked when a packet comes in,
 * filled in as it passes, echoed in answers and thinned out in fragments.
 *
 * <p>Offsets of options count from the start of the IP header, as the fields of struct ip_options
 * do.
 */
final class IpOptions {
  /** End of the option list. */
  static final int IPOPT_END = 0;

  /** No operation. */
  static final int IPOPT_NOOP = 1;

  /** Record route. */
  static final int IPOPT_RR = 7;

  /** Timestamp. */
  static final int IPOPT_TIMESTAMP = 0x44;

  /** Loose source route. */
  static final int IPOPT_LSRR = 0x83;

  /** Commercial IP security option. */
  static final int IPOPT_CIPSO = 0x86;

  /** Strict source route. */
  static final int IPOPT_SSRR = 0x89;

  /** Router alert. */
  static final int IPOPT_RA = 0x94;

  private static final int IPOPT_TS_TSONLY = 0;
  private static final int IPOPT_TS_TSANDADDR = 1;
  static final int IPOPT_TS_PRESPEC = 3;

  /** Bit of an option's type that says that fragments carry it too. */
  private static final int IPOPT_COPY = 0x80;

  private static final long MILLIS_PER_DAY = 24L * 60 * 60 * 1000;

  private final Net net;
  private final Routing routing;

  private final Flowi4 flow = new Flowi4();

  /** What {@link #compile} found wrong: offset from the IP header. */
  private int problem;

  IpOptions(Net net, Routing routing) {
    this.net = net;
    this.routing = routing;
  }

  /** Plays inet_current_timestamp: milliseconds since midnight UTC. */
  int currentTimestamp() {
    return (int) (Math.floorDiv(net.clock.now(), 1_000_000L) % MILLIS_PER_DAY);
  }

  /**
   * Plays fib_compute_spec_dst: the address of this machine that {@code skb} was sent to, and which
   * answers it: its destination, or for one that was not to a single machine an own one.
   */
  int specificDestination(SkBuff skb) {
    Rtable rt = Rtable.of(skb);
    int group = Rtable.RTCF_BROADCAST | Rtable.RTCF_MULTICAST;
    if ((rt.flags & (group | Rtable.RTCF_LOCAL)) == Rtable.RTCF_LOCAL) {
      return IpHeader.destination(skb);
    }
    NetDevice dev = NetDevice.of(skb);
    int source = IpHeader.source(skb);
    int scope = FibRoute.RT_SCOPE_UNIVERSE;
    if (Ip4.isZeroNet(source)) {
      scope = FibRoute.RT_SCOPE_LINK;
    } else {
      flow.reset(source);
      flow.tos = IpHeader.tos(skb);
      if (routing.devices().of(dev).is(DeviceSetting.SRC_VALID_MARK)) {
        flow.mark = skb.mark;
      }
      int address = routing.preferredSource(flow);
      if (address != 0) {
        return address;
      }
    }
    return routing.selectAddress(dev, source, scope);
  }

  /**
   * Plays ip_rt_get_source: the address that this machine puts into a packet that leaves by {@code
   * rt}.
   */
  private int routeSource(SkBuff skb, Rtable rt) {
    if (!rt.isInput) {
      return IpHeader.source(skb);
    }
    flow.reset(IpHeader.destination(skb));
    flow.tos = IpHeader.tos(skb);
    flow.oif = rt.dev.ifindex;
    flow.saddr = IpHeader.source(skb);
    flow.iif = skb.dev.ifindex;
    flow.mark = skb.mark;
    int address = routing.preferredSource(flow);
    return address != 0
        ? address
        : routing.selectAddress(
            rt.dev, rt.nextHop(IpHeader.destination(skb)), FibRoute.RT_SCOPE_UNIVERSE);
  }

  /**
   * Plays ip_rcv_options: checks and fills in the options of a packet that has its route.
   *
   * @return null, or why the packet must be dropped; an ICMP answer has been sent if one is due
   */
  DropReason receive(SkBuff skb, NetDevice dev, Icmp icmp) {
    IpControlBlock opt = IpControlBlock.of(skb);
    opt.clearOptions();
    opt.optionsLength = IpHeader.headerLength(skb) - IpHeader.MIN_LENGTH;
    skb.cbFlags |= IpControlBlock.HAS_OPTIONS;
    if (!compile(skb, opt)) {
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Step("ip_options_compile", "option wrong at byte " + problem));
      }
      icmp.send(skb, IcmpHeader.PARAMETER_PROBLEM, 0, problem << 24);
      return DropReason.IP_INHDR;
    }
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step("ip_options_compile", describe(opt)));
    }
    if (opt.srr != 0) {
      if (!routing.devices().of(dev).is(DeviceSetting.ACCEPT_SOURCE_ROUTE)) {
        if (skb.trace != null) {
          skb.trace.on(new TraceEvent.Step("ip_rcv_options", "source routes are not accepted"));
        }
        return DropReason.NOT_SPECIFIED;
      }
      return receiveSourceRoute(skb, dev, opt, icmp);
    }
    return null;
  }

  /**
   * What ipv4_send_dest_unreach does to the options of a packet that waited in vain for its
   * neighbour: compiles them a second time, which fills in one more slot.
   *
   * @return false when they are wrong now: no answer
   */
  boolean recompile(SkBuff skb) {
    int length = IpHeader.headerLength(skb) - IpHeader.MIN_LENGTH;
    if (length == 0) {
      skb.cbFlags &= ~IpControlBlock.HAS_OPTIONS;
      return true;
    }
    IpControlBlock opt = IpControlBlock.of(skb);
    opt.clearOptions();
    opt.optionsLength = length;
    skb.cbFlags |= IpControlBlock.HAS_OPTIONS;
    return compile(skb, opt);
  }

  private static String describe(IpControlBlock opt) {
    StringBuilder text = new StringBuilder(opt.optionsLength + " bytes of options");
    if (opt.rr != 0) {
      text.append(", record route");
    }
    if (opt.ts != 0) {
      text.append(", timestamp");
    }
    if (opt.srr != 0) {
      text.append(opt.strictRoute ? ", strict source route" : ", loose source route");
    }
    if (opt.routerAlert != 0) {
      text.append(", router alert");
    }
    return text.toString();
  }

  /**
   * Plays __ip_options_compile for a received packet; false leaves the place in {@link #problem}.
   */
  private boolean compile(SkBuff skb, IpControlBlock opt) {
    int start = skb.networkHeader;
    int at = start + IpHeader.MIN_LENGTH;
    int left = opt.optionsLength;
    while (left > 0) {
      int type = skb.u8(at);
      if (type == IPOPT_END) {
        for (at++, left--; left > 0; at++, left--) {
          if (skb.u8(at) != IPOPT_END) {
            skb.setU8(at, IPOPT_END);
            opt.changed = true;
          }
        }
        return true;
      }
      if (type == IPOPT_NOOP) {
        left--;
        at++;
        continue;
      }
      if (left < 2) {
        return wrong(at - start);
      }
      int length = skb.u8(at + 1);
      if (length < 2 || length > left) {
        return wrong(at - start);
      }
      boolean right =
          switch (type) {
            case IPOPT_SSRR, IPOPT_LSRR -> compileSourceRoute(skb, opt, at, type, length);
            case IPOPT_RR -> compileRecordRoute(skb, opt, at, length);
            case IPOPT_TIMESTAMP -> compileTimestamp(skb, opt, at, length);
            case IPOPT_RA -> compileRouterAlert(skb, opt, at, length);
            case IPOPT_CIPSO -> compileCipso(opt, at - start, length);
            default -> true;
          };
      if (!right) {
        return false;
      }
      left -= length;
      at += length;
    }
    return true;
  }

  private boolean wrong(int offset) {
    problem = offset;
    return false;
  }

  private boolean compileSourceRoute(SkBuff skb, IpControlBlock opt, int at, int type, int length) {
    int offset = at - skb.networkHeader;
    if (length < 3) {
      return wrong(offset + 1);
    }
    if (skb.u8(at + 2) < 4) {
      return wrong(offset + 2);
    }
    if (opt.srr != 0) {
      return wrong(offset);
    }
    opt.strictRoute = type == IPOPT_SSRR;
    opt.srr = offset;
    return true;
  }

  private boolean compileRecordRoute(SkBuff skb, IpControlBlock opt, int at, int length) {
    int offset = at - skb.networkHeader;
    if (opt.rr != 0) {
      return wrong(offset);
    }
    if (length < 3) {
      return wrong(offset + 1);
    }
    int pointer = skb.u8(at + 2);
    if (pointer < 4) {
      return wrong(offset + 2);
    }
    if (pointer <= length) {
      if (pointer + 3 > length) {
        return wrong(offset + 2);
      }
      if (skb.dst != null) {
        skb.setU32(at + pointer - 1, specificDestination(skb));
        opt.changed = true;
      }
      skb.setU8(at + 2, pointer + 4);
      opt.rrNeedsAddress = true;
    }
    opt.rr = offset;
    return true;
  }

  private boolean compileTimestamp(SkBuff skb, IpControlBlock opt, int at, int length) {
    int offset = at - skb.networkHeader;
    if (opt.ts != 0) {
      return wrong(offset);
    }
    if (length < 4) {
      return wrong(offset + 1);
    }
    int pointer = skb.u8(at + 2);
    if (pointer < 5) {
      return wrong(offset + 2);
    }
    int overflowAndFlag = skb.u8(at + 3);
    int flag = overflowAndFlag & 15;
    if (pointer <= length) {
      if (pointer + 3 > length) {
        return wrong(offset + 2);
      }
      int timeAt = 0;
      switch (flag) {
        case IPOPT_TS_TSONLY:
          timeAt = at + pointer - 1;
          opt.tsNeedsTime = true;
          skb.setU8(at + 2, pointer + 4);
          break;
        case IPOPT_TS_TSANDADDR:
          if (pointer + 7 > length) {
            return wrong(offset + 2);
          }
          if (skb.dst != null) {
            skb.setU32(at + pointer - 1, specificDestination(skb));
            timeAt = at + pointer + 3;
          }
          opt.tsNeedsAddress = true;
          opt.tsNeedsTime = true;
          skb.setU8(at + 2, pointer + 8);
          break;
        case IPOPT_TS_PRESPEC:
          if (pointer + 7 > length) {
            return wrong(offset + 2);
          }
          // An address that is none of this machine's is left for the next router.
          if (routing.addressType(null, skb.u32(at + pointer - 1)) == Ipv4Operations.RTN_UNICAST) {
            break;
          }
          timeAt = at + pointer + 3;
          opt.tsNeedsTime = true;
          skb.setU8(at + 2, pointer + 8);
          break;
        default:
          break;
      }
      if (timeAt != 0) {
        skb.setU32(timeAt, currentTimestamp());
        opt.changed = true;
      }
    } else if (flag != IPOPT_TS_PRESPEC) {
      int overflow = overflowAndFlag >>> 4;
      if (overflow == 15) {
        return wrong(offset + 3);
      }
      skb.setU8(at + 3, flag | overflow + 1 << 4);
      opt.changed = true;
    }
    opt.ts = offset;
    return true;
  }

  private boolean compileRouterAlert(SkBuff skb, IpControlBlock opt, int at, int length) {
    int offset = at - skb.networkHeader;
    if (length < 4) {
      return wrong(offset + 1);
    }
    if (skb.u16(at + 2) == 0) {
      opt.routerAlert = offset;
    }
    return true;
  }

  /** cipso_v4_validate on a machine without a domain of interpretation: every label is refused. */
  private boolean compileCipso(IpControlBlock opt, int offset, int length) {
    if (opt.cipso != 0) {
      return wrong(offset);
    }
    opt.cipso = offset;
    return wrong(offset + (length < 8 ? 1 : 2));
  }

  /** Plays ip_options_rcv_srr: this machine is a hop of a source route, or only on the way. */
  private DropReason receiveSourceRoute(SkBuff skb, NetDevice dev, IpControlBlock opt, Icmp icmp) {
    Rtable rt = Rtable.of(skb);
    if (skb.pktType != SkBuff.PACKET_HOST) {
      return DropReason.NOT_SPECIFIED;
    }
    if (rt.type == Ipv4Operations.RTN_UNICAST) {
      if (!opt.strictRoute) {
        return null;
      }
      icmp.send(skb, IcmpHeader.PARAMETER_PROBLEM, 0, 16 << 24);
      return DropReason.NOT_SPECIFIED;
    }
    if (rt.type != Ipv4Operations.RTN_LOCAL) {
      return DropReason.NOT_SPECIFIED;
    }
    int at = skb.networkHeader + opt.srr;
    int space = skb.u8(at + 1);
    int pointer = skb.u8(at + 2);
    int nextHop = 0;
    for (; pointer <= space; pointer += 4) {
      if (pointer + 3 > space) {
        icmp.send(skb, IcmpHeader.PARAMETER_PROBLEM, 0, opt.srr + 2 << 24);
        return DropReason.NOT_SPECIFIED;
      }
      nextHop = skb.u32(at + pointer - 1);
      skb.dropDst();
      DropReason reason = routing.input(skb, nextHop, IpHeader.source(skb), IpHeader.tos(skb), dev);
      Rtable next = Rtable.of(skb);
      if (reason != null
          || next.type != Ipv4Operations.RTN_UNICAST && next.type != Ipv4Operations.RTN_LOCAL) {
        skb.dst = rt;
        return DropReason.NOT_SPECIFIED;
      }
      if (next.type != Ipv4Operations.RTN_LOCAL) {
        break;
      }
      skb.setU32(skb.networkHeader + IpHeader.DESTINATION_OFFSET, nextHop);
      opt.changed = true;
      if (skb.ipSummed == SkBuff.CHECKSUM_UNNECESSARY && !dev.isLoopback()) {
        // What connection tracking has summed up is compared with the new pseudo header.
        skb.ipSummed = SkBuff.CHECKSUM_COMPLETE;
      }
    }
    if (pointer <= space) {
      opt.srrHit = true;
      opt.nextHop = nextHop;
      opt.changed = true;
    }
    return null;
  }

  /**
   * Plays ip_forward_options: fills in this router's address and the next hop of a source route.
   */
  void forward(SkBuff skb, IpControlBlock opt) {
    Rtable rt = Rtable.of(skb);
    if (opt.rrNeedsAddress) {
      int at = skb.networkHeader + opt.rr;
      skb.setU32(at + skb.u8(at + 2) - 5, routeSource(skb, rt));
      opt.changed = true;
    }
    if (opt.srrHit) {
      int at = skb.networkHeader + opt.srr;
      int space = skb.u8(at + 1);
      int pointer = skb.u8(at + 2);
      while (pointer + 3 <= space && skb.u32(at + pointer - 1) != opt.nextHop) {
        pointer += 4;
      }
      if (pointer + 3 <= space) {
        opt.changed = true;
        skb.setU32(skb.networkHeader + IpHeader.DESTINATION_OFFSET, opt.nextHop);
        skb.setU32(at + pointer - 1, routeSource(skb, rt));
        skb.setU8(at + 2, pointer + 4);
      }
      if (opt.tsNeedsAddress) {
        at = skb.networkHeader + opt.ts;
        skb.setU32(at + skb.u8(at + 2) - 9, routeSource(skb, rt));
        opt.changed = true;
      }
    }
    if (opt.changed) {
      opt.changed = false;
      IpHeader.updateChecksum(skb);
    }
  }

  /** Fills in the options of an answer to {@code skb}: see {@link IpOptionsReply#echo}. */
  boolean echo(SkBuff skb, IpOptionsReply reply) {
    return reply.echo(skb, routing);
  }

  /**
   * Plays ip_options_build: writes the options of an answer into the header of {@code skb}, which
   * has its route and room for them.
   *
   * @param destination where the packet goes in the end, behind the hops of a source route
   */
  void build(SkBuff skb, IpOptionsReply reply, int destination) {
    IpControlBlock opt = IpControlBlock.of(skb);
    opt.clearOptions();
    opt.optionsLength = reply.length;
    opt.srr = reply.srr;
    opt.rr = reply.rr;
    opt.ts = reply.ts;
    opt.cipso = reply.cipso;
    opt.strictRoute = reply.strictRoute;
    opt.rrNeedsAddress = reply.rrNeedsAddress;
    opt.tsNeedsAddress = reply.tsNeedsAddress;
    opt.tsNeedsTime = reply.tsNeedsTime;
    skb.cbFlags |= IpControlBlock.HAS_OPTIONS;
    int start = skb.networkHeader;
    System.arraycopy(reply.bytes, 0, skb.head, start + IpHeader.MIN_LENGTH, reply.length);
    Rtable rt = Rtable.of(skb);
    if (opt.srr != 0) {
      int at = start + opt.srr;
      skb.setU32(at + skb.u8(at + 1) - 4, destination);
    }
    if (opt.rrNeedsAddress) {
      int at = start + opt.rr;
      skb.setU32(at + skb.u8(at + 2) - 5, routeSource(skb, rt));
    }
    if (opt.tsNeedsAddress) {
      int at = start + opt.ts;
      skb.setU32(at + skb.u8(at + 2) - 9, routeSource(skb, rt));
    }
    if (opt.tsNeedsTime) {
      int at = start + opt.ts;
      skb.setU32(at + skb.u8(at + 2) - 5, currentTimestamp());
    }
  }

  /**
   * Plays ip_options_fragment: in all fragments but the first, options that are not to be copied
   * become NOPs.
   *
   * @param length bytes of options in the header of {@code skb}
   */
  static void fragment(SkBuff skb, int length) {
    int at = skb.networkHeader + IpHeader.MIN_LENGTH;
    int left = length;
    while (left > 0) {
      int type = skb.u8(at);
      if (type == IPOPT_END) {
        return;
      }
      if (type == IPOPT_NOOP) {
        left--;
        at++;
        continue;
      }
      int size = left < 2 ? 0 : skb.u8(at + 1);
      if (size < 2 || size > left) {
        return;
      }
      if ((type & IPOPT_COPY) == 0) {
        java.util.Arrays.fill(skb.head, at, at + size, (byte) IPOPT_NOOP);
      }
      left -= size;
      at += size;
    }
    if ((skb.cbFlags & IpControlBlock.HAS_OPTIONS) != 0) {
      IpControlBlock opt = IpControlBlock.of(skb);
      opt.ts = 0;
      opt.rr = 0;
      opt.rrNeedsAddress = false;
      opt.tsNeedsAddress = false;
      opt.tsNeedsTime = false;
    }
  }
}
