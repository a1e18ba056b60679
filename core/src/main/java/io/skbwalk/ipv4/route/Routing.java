// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;
import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.ReversePath;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays net/ipv4/route.c and fib_validate_source: decides for each packet whether it is for this
 * machine, goes on, or is impossible, and finds the way out for those made here.
 *
 * <p>Decisions are {@link Rtable}s, made once per table entry; a decision allocates nothing unless
 * a listener wants to know.
 */
public final class Routing {
  /** IPSKB_DOREDIRECT in {@link SkBuff#cbFlags}: ip_forward shall send an ICMP redirect. */
  public static final int IPSKB_DOREDIRECT = 1 << 5;

  /** Errno of an interface that does not exist. */
  public static final int ENODEV = 19;

  /** ip_rt_gc_timeout, nanoseconds. */
  private static final long REDIRECT_LIFETIME = 300 * Clock.SECOND;

  private final Net net;
  private final InDevices devices;
  private final Fib fib;
  private final NetDevice loopback;
  private final RouteActions actions;
  private final FibResult result = new FibResult();
  private final FibResult reverse = new FibResult();

  private final Rtable broadcastInput;
  private final Rtable multicastInput;
  private final Rtable hostUnreachable;
  private final Rtable networkUnreachable;
  private final Rtable prohibited;
  private final Rtable blackhole;

  /**
   * What {@link #validateSource} found besides a reason: the source is on the link it came from.
   */
  private boolean sourceOnLink;

  /** Likewise: the realm that the packet comes from, in the upper 16 bits (itag). */
  private int sourceRealm;

  private GatewayCheck gatewayCheck;

  /** net.ipv4.route.min_pmtu, bytes. */
  private int minPmtu = 552;

  /** net.ipv4.route.mtu_expires, seconds. */
  private int mtuExpires = 600;

  /** A machine whose loopback interface is {@code loopback}. */
  public Routing(Net net, InDevices devices, Fib fib, NetDevice loopback, RouteActions actions) {
    this.net = net;
    this.devices = devices;
    this.fib = fib;
    this.loopback = loopback;
    this.actions = actions;
    int local = Rtable.RTCF_LOCAL;
    broadcastInput = input(Ipv4Operations.RTN_BROADCAST, Rtable.RTCF_BROADCAST | local, 0, null);
    multicastInput = input(Ipv4Operations.RTN_MULTICAST, Rtable.RTCF_MULTICAST | local, 0, null);
    hostUnreachable = input(Ipv4Operations.RTN_UNREACHABLE, 0, Rtable.EHOSTUNREACH, null);
    networkUnreachable = input(Ipv4Operations.RTN_UNREACHABLE, 0, Rtable.ENETUNREACH, null);
    prohibited = input(Ipv4Operations.RTN_UNREACHABLE, 0, Rtable.EACCES, null);
    blackhole = input(Ipv4Operations.RTN_UNREACHABLE, 0, Rtable.EINVAL, null);
    net.sysctls.register(
        "net.ipv4.route.min_pmtu", () -> minPmtu, v -> minPmtu = (int) v, 68, Integer.MAX_VALUE);
    net.sysctls.register(
        "net.ipv4.route.mtu_expires", () -> mtuExpires, v -> mtuExpires = (int) v, 0, 1 << 30);
  }

  /** The tables and rules that decide. */
  public Fib fib() {
    return fib;
  }

  // ---- packets that came in --------------------------------------------------------------------

  /**
   * Plays ip_route_input_noref as ip_rcv_finish calls it: on success {@link SkBuff#dst} is set. The
   * interface of arrival is {@code skb.dev}.
   *
   * @return null, or why the packet is to be dropped
   */
  public DropReason input(SkBuff skb, int daddr, int saddr, int tos, NetDevice dev) {
    DropReason reason = lookupInput(skb, daddr, saddr, tos, dev);
    if (skb.trace != null) {
      tellInput(skb, daddr, saddr, dev, reason);
    }
    return reason;
  }

  /** The same without telling a listener, for those who only ask: ARP, ICMP's way back. */
  public DropReason lookupInput(SkBuff skb, int daddr, int saddr, int tos, NetDevice dev) {
    result.clear();
    InDevice in = devices.of(dev);
    if (in == null) {
      return DropReason.NOT_SPECIFIED;
    }
    if (Ip4.isMulticast(daddr)) {
      if (!in.isMember(daddr)) {
        return DropReason.NOT_SPECIFIED;
      }
      return multicastInput(skb, daddr, saddr, tos, in);
    }
    if (Ip4.isMulticast(saddr) || saddr == -1) {
      return DropReason.IP_INVALID_SOURCE;
    }
    if (daddr == -1 || saddr == 0 && daddr == 0) {
      return broadcastInput(skb, saddr, tos, in);
    }
    if (saddr == 0) {
      return DropReason.IP_INVALID_SOURCE;
    }
    if (daddr == 0) {
      return DropReason.IP_INVALID_DEST;
    }
    if ((Ip4.isLoopback(daddr) || Ip4.isLoopback(saddr)) && !in.is(DeviceSetting.ROUTE_LOCALNET)) {
      return DropReason.IP_LOCALNET;
    }
    int error = fib.lookup(daddr, saddr, skb.mark, tos, 0, dev.ifindex, 0, result);
    if (error != 0) {
      skb.dst = errorRoute(in.forwards() ? -error : Rtable.EHOSTUNREACH);
      return null;
    }
    switch (result.type) {
      case Ipv4Operations.RTN_BROADCAST:
        if (!in.is(DeviceSetting.BC_FORWARDING)) {
          return broadcastInput(skb, saddr, tos, in);
        }
        break;
      case Ipv4Operations.RTN_LOCAL:
        DropReason reason = validateSource(skb, saddr, daddr, tos, 0, in);
        if (reason != null) {
          return reason;
        }
        skb.dst = localRoute(result.route).tagged(sourceRealm);
        return null;
      default:
        if (!in.forwards()) {
          skb.dst = hostUnreachable;
          return null;
        }
        if (result.type != Ipv4Operations.RTN_UNICAST) {
          return DropReason.IP_INVALID_DEST;
        }
    }
    return forwardInput(skb, daddr, saddr, tos, in);
  }

  /** Plays __mkroute_input. */
  private DropReason forwardInput(SkBuff skb, int daddr, int saddr, int tos, InDevice in) {
    FibRoute route = result.route;
    InDevice out = devices.of(route.dev);
    DropReason reason = validateSource(skb, saddr, daddr, tos, route.dev.ifindex, in);
    if (reason != null) {
      return reason;
    }
    boolean ip = skb.protocol == EthernetHeader.ETH_P_IP;
    if (ip && out == in && sourceOnLink && out.is(DeviceSetting.SEND_REDIRECTS)) {
      if (out.is(DeviceSetting.SHARED_MEDIA) || out.onLink(saddr, route.gateway)) {
        skb.cbFlags |= IPSKB_DOREDIRECT;
      }
    }
    if (!ip && out == in && !in.is(DeviceSetting.PROXY_ARP_PVLAN)) {
      return DropReason.NOT_SPECIFIED;
    }
    Rtable rt =
        route.exceptions == null ? null : route.exceptions.find(daddr, net.clock.now(), true);
    if (rt == null) {
      rt = route.inputRoute;
      if (rt == null) {
        rt = route.inputRoute = forwardRoute(route, gatewayOf(route));
      }
    }
    skb.dst = rt.tagged(sourceRealm);
    return null;
  }

  private Rtable forwardRoute(FibRoute route, int gateway) {
    Rtable rt =
        new Rtable(
            route.type,
            0,
            route.dev,
            gateway,
            0,
            true,
            route,
            actions,
            Rtable.Step.FORWARD,
            Rtable.Step.OUTPUT);
    rt.tclassid = route.tclassid;
    return rt;
  }

  /** Plays rt_set_nexthop: a gateway counts when it is on the link. */
  private static int gatewayOf(FibRoute route) {
    return route.nextHopScope == FibRoute.RT_SCOPE_LINK ? route.gateway : 0;
  }

  /** Plays ip_route_input_mc with ip_mc_validate_source. */
  private DropReason multicastInput(SkBuff skb, int daddr, int saddr, int tos, InDevice in) {
    if (Ip4.isMulticast(saddr) || saddr == -1) {
      return DropReason.IP_INVALID_SOURCE;
    }
    if (skb.protocol != EthernetHeader.ETH_P_IP) {
      return DropReason.INVALID_PROTO;
    }
    if (Ip4.isLoopback(saddr) && !in.is(DeviceSetting.ROUTE_LOCALNET)) {
      return DropReason.IP_LOCALNET;
    }
    sourceRealm = 0;
    if (saddr == 0) {
      boolean linkLocal = (daddr & 0xFFFFFF00) == 0xE0000000;
      if (!linkLocal && IpHeader.protocol(skb) != IpHeader.IPPROTO_IGMP) {
        return DropReason.IP_INVALID_SOURCE;
      }
    } else {
      DropReason reason = validateSource(skb, saddr, 0, tos, 0, in);
      if (reason != null) {
        return reason;
      }
    }
    skb.dst = multicastInput.tagged(sourceRealm);
    return null;
  }

  private DropReason broadcastInput(SkBuff skb, int saddr, int tos, InDevice in) {
    if (skb.protocol != EthernetHeader.ETH_P_IP) {
      return DropReason.INVALID_PROTO;
    }
    sourceRealm = 0;
    if (saddr != 0) {
      DropReason reason = validateSource(skb, saddr, 0, tos, 0, in);
      if (reason != null) {
        return reason;
      }
    }
    skb.dst = broadcastInput.tagged(sourceRealm);
    return null;
  }

  /**
   * Plays fib_validate_source: could a packet from {@code saddr} have come in here?
   *
   * @param oif where it will leave; 0 when it is for this machine
   * @return null when it could, with {@link #sourceOnLink} and {@link #sourceRealm} set
   */
  private DropReason validateSource(
      SkBuff skb, int saddr, int daddr, int tos, int oif, InDevice in) {
    sourceOnLink = false;
    sourceRealm = 0;
    int rpFilter = in.setting(DeviceSetting.RP_FILTER);
    boolean acceptLocal = in.is(DeviceSetting.ACCEPT_LOCAL);
    if (rpFilter == 0
        && !fib.hasRealms()
        && (in.dev.ifindex != oif || !in.is(DeviceSetting.SEND_REDIRECTS))) {
      if (acceptLocal) {
        return null;
      }
      if (!fib.hasCustomLocalRoutes() && !fib.hasCustomRules()) {
        return devices.owner(saddr) == null ? null : DropReason.IP_LOCAL_SOURCE;
      }
    }
    int mark = in.is(DeviceSetting.SRC_VALID_MARK) ? skb.mark : 0;
    int iif = oif != 0 ? oif : loopback.ifindex;
    if (fib.lookup(saddr, daddr, mark, tos, 0, iif, 0, reverse) != 0) {
      return rpFilter != 0 ? DropReason.IP_RPFILTER : null;
    }
    if (reverse.type == Ipv4Operations.RTN_LOCAL) {
      if (!acceptLocal) {
        return DropReason.IP_LOCAL_SOURCE;
      }
    } else if (reverse.type != Ipv4Operations.RTN_UNICAST) {
      return DropReason.IP_INVALID_SOURCE;
    }
    sourceRealm = reverse.route.tclassid << 16;
    if (reverse.route.dev == in.dev
        || reverse.type == Ipv4Operations.RTN_LOCAL && in.dev == loopback) {
      sourceOnLink = reverse.route.nextHopScope >= FibRoute.RT_SCOPE_HOST;
      return null;
    }
    if (in.addresses().length == 0) {
      sourceRealm = 0;
      return rpFilter != 0 ? DropReason.IP_RPFILTER : null;
    }
    if (rpFilter == 1) {
      return DropReason.IP_RPFILTER;
    }
    if (fib.lookup(saddr, daddr, mark, tos, 0, iif, in.dev.ifindex, reverse) == 0
        && reverse.type == Ipv4Operations.RTN_UNICAST) {
      sourceOnLink = reverse.route.nextHopScope >= FibRoute.RT_SCOPE_HOST;
    }
    return null;
  }

  private Rtable errorRoute(int error) {
    return switch (error) {
      case Rtable.EHOSTUNREACH -> hostUnreachable;
      case Rtable.ENETUNREACH -> networkUnreachable;
      case Rtable.EACCES -> prohibited;
      default -> blackhole;
    };
  }

  private Rtable localRoute(FibRoute route) {
    Rtable rt = route.inputRoute;
    if (rt == null) {
      rt = route.inputRoute = input(Ipv4Operations.RTN_LOCAL, Rtable.RTCF_LOCAL, 0, route);
    }
    return rt;
  }

  private Rtable input(int type, int flags, int error, FibRoute route) {
    return new Rtable(
        type,
        flags,
        loopback,
        0,
        error,
        true,
        route,
        actions,
        error != 0 ? Rtable.Step.ERROR : Rtable.Step.LOCAL_DELIVER,
        Rtable.Step.ROUTE_BUG);
  }

  // ---- packets made here -----------------------------------------------------------------------

  /**
   * Plays ip_route_output_key: the way out for {@code key}, whose source address and interface are
   * filled in.
   *
   * @return null when there is none; {@link Flowi4#error} says why
   */
  public Rtable output(Flowi4 key) {
    result.clear();
    key.error = 0;
    InDevice out = null;
    if (key.saddr != 0) {
      if (Ip4.isMulticast(key.saddr) || key.saddr == -1 || key.saddr == 0) {
        return fails(key, Rtable.EINVAL);
      }
      if (key.oif == 0 && (Ip4.isMulticast(key.daddr) || key.daddr == -1)) {
        NetDevice owner = fib.ownerOf(key.saddr);
        if (owner == null) {
          return fails(key, Rtable.ENETUNREACH);
        }
        key.oif = owner.ifindex;
        return makeOutput(key, devices.of(owner), null, Ipv4Operations.RTN_UNICAST);
      }
      if (!key.anySource && fib.ownerOf(key.saddr) == null) {
        return fails(key, Rtable.ENETUNREACH);
      }
    }
    if (key.oif != 0) {
      out = devices.of(key.oif);
      if (out == null) {
        return fails(key, ENODEV);
      }
      if ((out.dev.flags & NetDevice.IFF_UP) == 0) {
        return fails(key, Rtable.ENETUNREACH);
      }
      boolean linkLocal = (key.daddr & 0xFFFFFF00) == 0xE0000000;
      if (linkLocal || key.daddr == -1 || key.proto == IpHeader.IPPROTO_IGMP) {
        if (key.saddr == 0) {
          key.saddr = devices.select(out, 0, FibRoute.RT_SCOPE_LINK);
        }
        return makeOutput(key, out, null, Ipv4Operations.RTN_UNICAST);
      }
      if (key.saddr == 0) {
        if (Ip4.isMulticast(key.daddr)) {
          key.saddr = devices.select(out, 0, key.scope);
        } else if (key.daddr == 0) {
          key.saddr = devices.select(out, 0, FibRoute.RT_SCOPE_HOST);
        }
      }
    }
    if (key.daddr == 0) {
      key.daddr = key.saddr;
      if (key.daddr == 0) {
        key.daddr = key.saddr = 0x7F000001;
      }
      key.oif = loopback.ifindex;
      return makeOutput(key, devices.of(loopback), null, Ipv4Operations.RTN_LOCAL);
    }
    int error = fib.lookup(key, result);
    if (error != 0) {
      if (out != null) {
        // The user names the interface: the destination is taken to be on its link.
        result.clear();
        if (key.saddr == 0) {
          key.saddr = devices.select(out, 0, FibRoute.RT_SCOPE_LINK);
        }
        return makeOutput(key, out, null, Ipv4Operations.RTN_UNICAST);
      }
      return fails(key, -error);
    }
    FibRoute route = result.route;
    if (key.saddr == 0) {
      key.saddr = preferredSource(key.daddr);
    }
    if (result.type == Ipv4Operations.RTN_LOCAL) {
      key.oif = loopback.ifindex;
      return makeOutput(key, devices.of(loopback), route, Ipv4Operations.RTN_LOCAL);
    }
    key.oif = route.dev.ifindex;
    return makeOutput(key, devices.of(route.dev), route, result.type);
  }

  /**
   * Plays fib_lookup and fib_result_prefsrc: the address of this machine that goes with the way of
   * {@code key}; 0 when there is no way.
   */
  public int preferredSource(Flowi4 key) {
    return fib.lookup(key, result) == 0 ? preferredSource(key.daddr) : 0;
  }

  /** Plays fib_result_prefsrc for {@link #result}. */
  private int preferredSource(int daddr) {
    FibRoute route = result.route;
    if (route.preferredSource != 0) {
      return route.preferredSource;
    }
    return result.type == Ipv4Operations.RTN_LOCAL
        ? daddr
        : devices.select(devices.of(route.dev), route.gateway, route.scope);
  }

  private static Rtable fails(Flowi4 key, int error) {
    key.error = error;
    return null;
  }

  /** The output route {@code rt} with {@code gateway} as the next hop of all its packets. */
  public Rtable through(Rtable rt, int gateway) {
    return outputRoute(rt.type, rt.flags, rt.dev, rt.route, gateway);
  }

  /** Plays __mkroute_output. */
  private Rtable makeOutput(Flowi4 key, InDevice out, FibRoute route, int type) {
    boolean loop = out.dev.isLoopback();
    if (Ip4.isLoopback(key.saddr) && !loop && !out.is(DeviceSetting.ROUTE_LOCALNET)) {
      return fails(key, Rtable.EINVAL);
    }
    if (key.daddr == -1) {
      type = Ipv4Operations.RTN_BROADCAST;
    } else if (Ip4.isMulticast(key.daddr)) {
      type = Ipv4Operations.RTN_MULTICAST;
    } else if (key.daddr == 0) {
      return fails(key, Rtable.EINVAL);
    }
    if (type == Ipv4Operations.RTN_BROADCAST) {
      if (out.broadcastOutput == null) {
        out.broadcastOutput =
            outputRoute(type, Rtable.RTCF_BROADCAST | Rtable.RTCF_LOCAL, out.dev, null);
      }
      return out.broadcastOutput;
    }
    if (type == Ipv4Operations.RTN_MULTICAST) {
      boolean joined = loop || out.isMember(key.daddr);
      return multicastOutput(out, route == null || route.prefixLength < 4 ? null : route, joined);
    }
    if (route == null) {
      if (out.onLinkOutput == null) {
        out.onLinkOutput = outputRoute(type, loop ? Rtable.RTCF_LOCAL : 0, out.dev, null);
      }
      return out.onLinkOutput;
    }
    if (route.exceptions != null) {
      Rtable learned = route.exceptions.find(key.daddr, net.clock.now(), false);
      if (learned != null) {
        return learned;
      }
    }
    if (route.outputRoute == null) {
      route.outputRoute = outputRoute(type, loop ? Rtable.RTCF_LOCAL : 0, out.dev, route);
    }
    return route.outputRoute;
  }

  private Rtable multicastOutput(InDevice out, FibRoute route, boolean joined) {
    int flags = Rtable.RTCF_MULTICAST | (joined ? Rtable.RTCF_LOCAL : 0);
    Rtable rt =
        route == null
            ? joined ? out.multicastOutputJoined : out.multicastOutput
            : joined ? route.multicastOutputJoined : route.multicastOutput;
    if (rt == null) {
      rt = outputRoute(Ipv4Operations.RTN_MULTICAST, flags, out.dev, route);
      if (route != null) {
        if (joined) {
          route.multicastOutputJoined = rt;
        } else {
          route.multicastOutput = rt;
        }
      } else if (joined) {
        out.multicastOutputJoined = rt;
      } else {
        out.multicastOutput = rt;
      }
    }
    return rt;
  }

  private Rtable outputRoute(int type, int flags, NetDevice dev, FibRoute route) {
    return outputRoute(type, flags, dev, route, route == null ? 0 : gatewayOf(route));
  }

  private Rtable outputRoute(int type, int flags, NetDevice dev, FibRoute route, int gateway) {
    boolean local = (flags & Rtable.RTCF_LOCAL) != 0;
    boolean group = (flags & (Rtable.RTCF_BROADCAST | Rtable.RTCF_MULTICAST)) != 0;
    Rtable rt =
        new Rtable(
            type,
            flags,
            dev,
            gateway,
            0,
            false,
            route,
            actions,
            local ? Rtable.Step.LOCAL_DELIVER : Rtable.Step.DISCARD,
            local && group && !dev.isLoopback()
                ? Rtable.Step.MULTICAST_OUTPUT
                : Rtable.Step.OUTPUT);
    rt.tclassid = route == null ? 0 : route.tclassid;
    return rt;
  }

  // ---- what ICMP teaches -----------------------------------------------------------------------

  /** Whom a redirect makes the next gateway must be known to the link. */
  @FunctionalInterface
  public interface GatewayCheck {
    /**
     * Plays the part of __ip_do_redirect that asks the neighbour table.
     *
     * @return true when its Ethernet address is known; otherwise it is asked for
     */
    boolean isKnown(int gateway, NetDevice dev);
  }

  /** Sets who knows the neighbours; until then redirects are not heeded. */
  public void setGatewayCheck(GatewayCheck check) {
    gatewayCheck = check;
  }

  /**
   * Plays __ip_rt_update_pmtu: packets of {@code mtu} bytes at most reach {@code key}'s
   * destination, for net.ipv4.route.mtu_expires seconds.
   *
   * @param mtu from ICMP fragmentation needed, bytes; raised to net.ipv4.route.min_pmtu, and then
   *     packets may be fragmented on their way
   */
  public void updatePmtu(Flowi4 key, int mtu) {
    Rtable known = output(key);
    long now = net.clock.now();
    if (known == null || known.route == null || known.mtuLocked) {
      return;
    }
    int old = known.mtu(false, now);
    if (old < mtu) {
      return;
    }
    boolean locked = mtu < minPmtu;
    if (locked) {
      mtu = Math.min(old, minPmtu);
    }
    long lifetime = mtuExpires * Clock.SECOND;
    if (known.pmtu == mtu && !locked && now < known.expires - lifetime / 2) {
      return;
    }
    learn(key.daddr, known, known.gateway, mtu, locked, now + lifetime);
  }

  /**
   * Plays __ip_do_redirect: {@code sender}, the gateway in use, says that {@code gateway} is nearer
   * to {@code key}'s destination.
   *
   * @param dev the interface that the redirect came in on
   * @return true when it is heeded from now on
   */
  public boolean redirect(Flowi4 key, int sender, int gateway, NetDevice dev) {
    InDevice in = devices.of(dev);
    Rtable known = output(key);
    if (known == null
        || in == null
        || known.route == null
        || known.gateway == 0
        || known.gateway != sender
        || gateway == sender
        || !in.acceptsRedirects()
        || Ip4.isMulticast(gateway)
        || gateway == -1
        || gateway == 0) {
      return false;
    }
    if (!in.is(DeviceSetting.SHARED_MEDIA)) {
      if (!in.onLink(gateway, sender)
          || in.is(DeviceSetting.SECURE_REDIRECTS) && !isDefaultGateway(gateway, dev)) {
        return false;
      }
    } else if (fib.addressType(gateway, null) != Ipv4Operations.RTN_UNICAST) {
      return false;
    }
    if (gatewayCheck == null || !gatewayCheck.isKnown(gateway, known.dev)) {
      return false;
    }
    long until = net.clock.now() + REDIRECT_LIFETIME;
    learn(key.daddr, known, gateway, known.pmtu, known.mtuLocked, until);
    return true;
  }

  /** Plays ip_fib_check_default. */
  private boolean isDefaultGateway(int gateway, NetDevice dev) {
    for (FibRule rule : fib.rules()) {
      for (FibRoute route : fib.routes(rule.table())) {
        if (route.gateway == gateway && route.dev == dev) {
          return true;
        }
      }
    }
    return false;
  }

  private void learn(
      int destination, Rtable known, int gateway, int pmtu, boolean locked, long until) {
    FibRoute route = known.route;
    if (route.exceptions == null) {
      route.exceptions = new NextHopExceptions();
    }
    Rtable output = outputRoute(known.type, known.flags, known.dev, route, gateway);
    Rtable input = forwardRoute(route, gateway);
    output.pmtu = input.pmtu = pmtu;
    output.mtuLocked = input.mtuLocked = locked;
    output.expires = input.expires = until;
    route.exceptions.put(destination, output, input);
  }

  // ---- questions about addresses ---------------------------------------------------------------

  /** Plays inet_addr_type and inet_dev_addr_type: see {@link Ipv4Operations#addressType}. */
  public int addressType(NetDevice dev, int address) {
    return fib.addressType(address, dev);
  }

  /**
   * Plays inet_select_addr: the source address for packets that leave on {@code dev}.
   *
   * @param dev null for any
   * @param destination an address in its subnet is preferred; 0 for none
   * @param scope RT_SCOPE_ constant: addresses of a greater scope do not count
   * @return 0 when there is none
   */
  public int selectAddress(NetDevice dev, int destination, int scope) {
    return devices.select(dev == null ? null : devices.of(dev), destination, scope);
  }

  /**
   * Plays fib_lookup for rpfilter: where packets to {@code saddr} would go, whose source is {@code
   * daddr}, 0 for none.
   */
  public void reversePath(int saddr, int daddr, int mark, int tos, ReversePath path) {
    boolean found = fib.lookup(saddr, daddr, mark, tos, 0, loopback.ifindex, 0, reverse) == 0;
    path.type = found ? reverse.type : Ipv4Operations.RTN_UNSPEC;
    path.device = found ? reverse.route.dev : null;
  }

  /** The interfaces as IPv4 knows them. */
  public InDevices devices() {
    return devices;
  }

  // ---- telling a listener ----------------------------------------------------------------------

  private void tellInput(SkBuff skb, int daddr, int saddr, NetDevice dev, DropReason reason) {
    if (reason != null) {
      skb.trace.on(
          new TraceEvent.Route(
              "ip_rcv_finish",
              "refused",
              Ip4.format(daddr)
                  + " from "
                  + Ip4.format(saddr)
                  + " on "
                  + dev
                  + ": "
                  + reason
                  + (reason == DropReason.IP_RPFILTER ? wayBack() : "")));
      return;
    }
    Rtable rt = Rtable.of(skb);
    String kind =
        rt.isError()
            ? switch (rt.error) {
              case Rtable.EACCES -> "prohibit";
              case Rtable.EINVAL -> "blackhole";
              default -> "unreachable";
            }
            : switch (rt.type) {
              case Ipv4Operations.RTN_LOCAL -> "local";
              case Ipv4Operations.RTN_BROADCAST -> "broadcast";
              case Ipv4Operations.RTN_MULTICAST -> "multicast";
              default -> "forward";
            };
    skb.trace.on(new TraceEvent.Route("ip_rcv_finish", kind, describe(daddr, dev, rt)));
  }

  /** What {@link #validateSource} has just found. */
  private String wayBack() {
    return reverse.route == null
        ? ", rp_filter wants a way back and there is none"
        : ", rp_filter wants the way back there, and it is " + reverse.route;
  }

  private String describe(int daddr, NetDevice dev, Rtable rt) {
    if (result.route == null) {
      if (rt.isError()) {
        return "no route to " + Ip4.format(daddr);
      }
      return Ip4.format(daddr) + " dev " + dev;
    }
    StringBuilder text = new StringBuilder();
    text.append(result.route);
    if (rt.gateway != 0 && rt.gateway != result.route.gateway) {
      text.append(" redirected via ").append(Ip4.format(rt.gateway));
    }
    text.append(", table ").append(FibRoute.tableName(result.route.table));
    if (fib.hasCustomRules() && result.rule != null) {
      text.append(", rule ").append(result.rule.priority());
    }
    if (rt.isError() && !devices.of(dev).forwards()) {
      text.append(", ").append(dev).append(" does not forward");
    }
    return text.toString();
  }

  /**
   * Tells {@code skb}'s listener of the last {@link #output}, for a caller that has just asked for
   * this packet.
   *
   * @param function who asked, such as ip_route_me_harder
   * @param rt the answer, null for none
   */
  public void tellOutput(SkBuff skb, String function, Flowi4 key, Rtable rt) {
    if (skb.trace == null) {
      return;
    }
    if (rt == null) {
      skb.trace.on(
          new TraceEvent.Route(function, "unreachable", "no route to " + Ip4.format(key.daddr)));
      return;
    }
    String kind = FibRoute.typeName(rt.type);
    skb.trace.on(
        new TraceEvent.Route(
            function, kind, describe(key.daddr, rt.dev, rt) + ", from " + Ip4.format(key.saddr)));
  }
}
