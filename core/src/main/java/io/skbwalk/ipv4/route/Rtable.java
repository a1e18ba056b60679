// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.DstEntry;
import io.skbwalk.skb.SkBuff;

/**
 * Plays struct rtable: the next hop of a packet and what to do with it. One is made per route and
 * direction and shared by all packets that take it, so it holds neither their addresses nor their
 * interface of arrival.
 */
public final class Rtable extends DstEntry {
  /** {@link #flags}: to all on a link. */
  public static final int RTCF_BROADCAST = 0x10000000;

  /** {@link #flags}: to a group. */
  public static final int RTCF_MULTICAST = 0x20000000;

  /** {@link #flags}: (also) to this machine. */
  public static final int RTCF_LOCAL = 0x80000000;

  /** {@link #error}: dst.error of a blackhole, EINVAL. */
  public static final int EINVAL = 22;

  /** {@link #error}: a prohibit route, EACCES. */
  public static final int EACCES = 13;

  /** {@link #error}: no route at all, ENETUNREACH. */
  public static final int ENETUNREACH = 101;

  /** {@link #error}: an unreachable route, EHOSTUNREACH. */
  public static final int EHOSTUNREACH = 113;

  /** Largest packet that any route takes, bytes. */
  public static final int IP_MAX_MTU = 0xFFFF;

  enum Step {
    LOCAL_DELIVER,
    FORWARD,
    ERROR,
    OUTPUT,
    MULTICAST_OUTPUT,
    ROUTE_BUG,
    DISCARD
  }

  /** rt_type: an RTN_ constant of {@link io.skbwalk.netfilter.Ipv4Operations}. */
  public final int type;

  /** rt_flags: RTCF_ bits. */
  public final int flags;

  /** dst.dev: the interface to leave on (loopback for local deliveries). */
  public final NetDevice dev;

  /** rt_gw4: the gateway, or 0 when the destination itself is the next hop. */
  public final int gateway;

  /** dst.error: 0, or the errno of a route that leads nowhere. */
  public final int error;

  /** rt_is_input: for packets that came in. */
  public final boolean isInput;

  /** The table entry behind it, or null. */
  public final FibRoute route;

  /** rt_pmtu: learned path MTU in bytes, 0 for none; see {@link Routing#updatePmtu}. */
  int pmtu;

  /** ip_mtu_locked: the learned path MTU was under net.ipv4.route.min_pmtu. */
  boolean mtuLocked;

  /** Until when {@link #pmtu} and a redirect's gateway hold, nanoseconds since the epoch. */
  long expires;

  /** Next of the same route for packets that come from another realm. */
  private Rtable otherRealms;

  private final RouteActions actions;
  private final Step input;
  private final Step output;

  Rtable(
      int type,
      int flags,
      NetDevice dev,
      int gateway,
      int error,
      boolean isInput,
      FibRoute route,
      RouteActions actions,
      Step input,
      Step output) {
    this.type = type;
    this.flags = flags;
    this.dev = dev;
    this.gateway = gateway;
    this.error = error;
    this.isInput = isInput;
    this.route = route;
    this.actions = actions;
    this.input = input;
    this.output = output;
  }

  @Override
  public void input(SkBuff skb) {
    run(input, skb);
  }

  @Override
  public void output(SkBuff skb) {
    run(output, skb);
  }

  /**
   * Plays set_class_tag: the same way for packets of the realms {@code tag}, which go where the
   * route has none of its own. One is made for each realm that packets come from.
   */
  Rtable tagged(int tag) {
    int both = tclassid;
    both |= (both & 0xFFFF) == 0 ? tag & 0xFFFF : 0;
    both |= both >>> 16 == 0 ? tag & 0xFFFF0000 : 0;
    Rtable rt = this;
    while (rt != null && rt.tclassid != both) {
      rt = rt.otherRealms;
    }
    if (rt == null) {
      rt = new Rtable(type, flags, dev, gateway, error, isInput, route, actions, input, output);
      rt.tclassid = both;
      rt.pmtu = pmtu;
      rt.mtuLocked = mtuLocked;
      rt.expires = expires;
      rt.otherRealms = otherRealms;
      otherRealms = rt;
    }
    return rt;
  }

  private void run(Step step, SkBuff skb) {
    switch (step) {
      case LOCAL_DELIVER -> actions.localDeliver(skb);
      case FORWARD -> actions.forward(skb);
      case OUTPUT -> actions.output(skb);
      case MULTICAST_OUTPUT -> actions.multicastOutput(skb);
      case ERROR -> actions.error(skb);
      case ROUTE_BUG -> actions.routeBug(skb);
      case DISCARD -> actions.discard(skb);
    }
  }

  /** The route of {@code skb}, or null. */
  public static Rtable of(SkBuff skb) {
    return (Rtable) skb.dst;
  }

  /** Plays rt_nexthop: who gets the frame of a packet to {@code destination}. */
  public int nextHop(int destination) {
    return gateway != 0 ? gateway : destination;
  }

  /**
   * Plays ip_dst_mtu_maybe_forward, bytes: the route's own MTU, or the interface's.
   *
   * @param forwarding the packet is being forwarded, for which a learned path MTU does not count
   *     unless it is locked
   * @param now virtual time, nanoseconds since the epoch
   */
  public int mtu(boolean forwarding, long now) {
    if ((!forwarding || mtuLocked) && pmtu != 0 && now < expires) {
      return Math.min(pmtu, IP_MAX_MTU);
    }
    if (route != null && route.mtu != 0) {
      return Math.min(route.mtu, IP_MAX_MTU);
    }
    return Math.min(dev.mtu, IP_MAX_MTU);
  }

  /**
   * Plays ip_mtu_locked: the path MTU is so small that packets must not forbid their fragmentation
   * to find a better one.
   */
  public boolean isMtuLocked() {
    return mtuLocked;
  }

  /** True when a packet in must not go further: its input is ip_error. */
  public boolean isError() {
    return input == Step.ERROR;
  }
}
