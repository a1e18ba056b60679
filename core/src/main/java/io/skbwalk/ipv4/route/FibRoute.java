// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;

/**
 * Plays struct fib_alias, fib_info and its one fib_nh: an entry of a routing table. Immutable but
 * for the {@link Rtable}s made of it and what ICMP has taught about single destinations.
 */
public final class FibRoute {
  /** Destinations anywhere. */
  public static final int RT_SCOPE_UNIVERSE = 0;

  /** Destinations on a link. */
  public static final int RT_SCOPE_LINK = 253;

  /** This machine. */
  public static final int RT_SCOPE_HOST = 254;

  /** Nothing. */
  public static final int RT_SCOPE_NOWHERE = 255;

  /** Table of own addresses and broadcasts. */
  public static final int RT_TABLE_LOCAL = 255;

  /** Table that `ip route` fills. */
  public static final int RT_TABLE_MAIN = 254;

  /** Table asked last. */
  public static final int RT_TABLE_DEFAULT = 253;

  private static final String[] TYPES = {
    "none",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw"
  };

  /** Network address. */
  public final int destination;

  /** 0 to 32. */
  public final int prefixLength;

  /** RTN_ constant of {@link Ipv4Operations}. */
  public final int type;

  /** RT_SCOPE_ constant of the destination. */
  public final int scope;

  /** The table's number. */
  public final int table;

  /** Smaller wins. */
  public final int metric;

  /** Only packets with this type of service; 0 for all. */
  public final int tos;

  /** Next hop, or 0. */
  public final int gateway;

  /** Interface to leave on; null for routes that lead nowhere. */
  public final NetDevice dev;

  /**
   * nhc_scope: RT_SCOPE_HOST when the destination is on the link, RT_SCOPE_LINK behind a gateway.
   */
  public final int nextHopScope;

  /** Preferred source address, 0 for the interface's. */
  public final int preferredSource;

  /** MTU in bytes, 0 for the interface's. */
  public final int mtu;

  /** nh_tclassid: realms, to in the lower, from in the upper 16 bits; 0 for none. */
  public final int tclassid;

  /** Next entry of the same prefix. */
  FibRoute next;

  Rtable inputRoute;
  Rtable outputRoute;
  Rtable multicastOutput;
  Rtable multicastOutputJoined;

  /** Learned from ICMP, null until there is something. */
  NextHopExceptions exceptions;

  FibRoute(
      int destination,
      int prefixLength,
      int type,
      int scope,
      int table,
      int metric,
      int tos,
      int gateway,
      NetDevice dev,
      int nextHopScope,
      int preferredSource,
      int mtu,
      int tclassid) {
    this.destination = destination;
    this.prefixLength = prefixLength;
    this.type = type;
    this.scope = scope;
    this.table = table;
    this.metric = metric;
    this.tos = tos;
    this.gateway = gateway;
    this.dev = dev;
    this.nextHopScope = nextHopScope;
    this.preferredSource = preferredSource;
    this.mtu = mtu;
    this.tclassid = tclassid;
  }

  /** Plays fib_props[type].error: what a lookup that ends here gives, 0 or a negative errno. */
  int lookupError() {
    return switch (type) {
      case Ipv4Operations.RTN_BLACKHOLE -> -Rtable.EINVAL;
      case Ipv4Operations.RTN_UNREACHABLE -> -Rtable.EHOSTUNREACH;
      case Ipv4Operations.RTN_PROHIBIT -> -Rtable.EACCES;
      case Ipv4Operations.RTN_THROW -> FibTable.NO_MATCH;
      default -> 0;
    };
  }

  /** The name of a route type as ip-route(8) has it. */
  public static String typeName(int type) {
    return TYPES[type];
  }

  /** The name of a table as ip-route(8) has it. */
  public static String tableName(int table) {
    return switch (table) {
      case RT_TABLE_LOCAL -> "local";
      case RT_TABLE_MAIN -> "main";
      case RT_TABLE_DEFAULT -> "default";
      default -> Integer.toUnsignedString(table);
    };
  }

  /** As `ip route show` prints it, but for protocol and scope. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    if (type != Ipv4Operations.RTN_UNICAST) {
      text.append(typeName(type)).append(' ');
    }
    if (prefixLength == 0) {
      text.append("default");
    } else {
      text.append(Ip4.format(destination));
      if (prefixLength < 32) {
        text.append('/').append(prefixLength);
      }
    }
    if (tos != 0) {
      text.append(" tos 0x").append(Integer.toHexString(tos));
    }
    if (gateway != 0) {
      text.append(" via ").append(Ip4.format(gateway));
    }
    if (dev != null) {
      text.append(" dev ").append(dev.name);
    }
    if (preferredSource != 0) {
      text.append(" src ").append(Ip4.format(preferredSource));
    }
    if (metric != 0) {
      text.append(" metric ").append(Integer.toUnsignedString(metric));
    }
    if (mtu != 0) {
      text.append(" mtu ").append(mtu);
    }
    if (tclassid >>> 16 != 0) {
      text.append(" realms ").append(tclassid >>> 16).append('/').append(tclassid & 0xFFFF);
    } else if (tclassid != 0) {
      text.append(" realm ").append(tclassid);
    }
    return text.toString();
  }
}
