// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Plays fib_frontend.c, fib_rules.c and fib_semantics.c: the routing tables and policy rules of one
 * machine, and which routes its addresses bring along.
 *
 * <p>As in Linux, tables local and main are one until the first policy rule is added: until then
 * the longest prefix of both wins, afterwards table local is asked first.
 */
public final class Fib {
  private final InDevices devices;
  private final Map<Integer, FibTable> tables = new HashMap<>();
  private final List<FibRule> rules = new ArrayList<>();
  private final Flowi4 question = new Flowi4();
  private final FibResult answer = new FibResult();

  private FibRule[] ruleOrder;
  private FibTable[] ruleTables;
  private FibTable local = new FibTable();
  private FibTable main = local;
  private final FibTable defaults;
  private boolean customRules;
  private boolean customLocalRoutes;
  private boolean realms;

  /** No address and no route; the three rules of every machine. */
  public Fib(InDevices devices) {
    this.devices = devices;
    tables.put(FibRoute.RT_TABLE_LOCAL, local);
    tables.put(FibRoute.RT_TABLE_MAIN, main);
    defaults = table(FibRoute.RT_TABLE_DEFAULT);
    rules.add(FibRule.toTable(0, FibRoute.RT_TABLE_LOCAL));
    rules.add(FibRule.toTable(32766, FibRoute.RT_TABLE_MAIN));
    rules.add(FibRule.toTable(32767, FibRoute.RT_TABLE_DEFAULT));
    orderRules();
  }

  /** fib4_has_custom_rules. */
  boolean hasCustomRules() {
    return customRules;
  }

  /** net->ipv4.fib_has_custom_local_routes. */
  boolean hasCustomLocalRoutes() {
    return customLocalRoutes;
  }

  /** fib_num_tclassid_users: some route has a realm. */
  boolean hasRealms() {
    return realms;
  }

  /** The rules in the order in which they are asked. */
  public List<FibRule> rules() {
    return Collections.unmodifiableList(rules);
  }

  /** The routes of table {@code number} in the order of their coming. */
  public List<FibRoute> routes(int number) {
    List<FibRoute> found = new ArrayList<>();
    FibTable table = tables.get(number);
    if (table != null) {
      for (FibRoute route : table.routes()) {
        if (route.table == number) {
          found.add(route);
        }
      }
    }
    return found;
  }

  /**
   * Plays `ip address add` and fib_add_ifaddr: {@code address} and the local, broadcast and
   * connected routes that come with it. The interface is known to {@link InDevices} and up.
   *
   * @param broadcast explicit broadcast address, 0 for none (the highest address is one all the
   *     same)
   * @return the address as the interface now has it
   * @throws IllegalArgumentException with a message for users when the interface has it already
   */
  public InterfaceAddress addAddress(NetDevice dev, int address, int prefixLength, int broadcast) {
    int scope = Ip4.isLoopback(address) ? FibRoute.RT_SCOPE_HOST : FibRoute.RT_SCOPE_UNIVERSE;
    return addAddress(dev, address, prefixLength, broadcast, scope);
  }

  /** The same with a scope of the user's choice. */
  public InterfaceAddress addAddress(
      NetDevice dev, int address, int prefixLength, int broadcast, int scope) {
    InDevice in = devices.of(dev);
    InterfaceAddress added = devices.insert(in, address, prefixLength, broadcast, scope);
    int prefix = address & Ip4.mask(prefixLength);
    // A secondary address's routes prefer the primary as source.
    int source = added.secondary() ? in.byPrefix(address, prefixLength).address() : address;
    kernelRoute(Ipv4Operations.RTN_LOCAL, address, 32, dev, source);
    if (broadcast != 0 && broadcast != -1) {
      kernelRoute(Ipv4Operations.RTN_BROADCAST, broadcast, 32, dev, source);
    }
    if (prefix != 0 && !added.secondary() && (prefix != address || prefixLength < 32)) {
      kernelRoute(
          dev.isLoopback() ? Ipv4Operations.RTN_LOCAL : Ipv4Operations.RTN_UNICAST,
          prefix,
          prefixLength,
          dev,
          source);
      if (prefixLength < 31) {
        int last = prefix | ~Ip4.mask(prefixLength);
        kernelRoute(Ipv4Operations.RTN_BROADCAST, last, 32, dev, source);
      }
    }
    return added;
  }

  /** Plays fib_magic. */
  private void kernelRoute(int type, int destination, int length, NetDevice dev, int source) {
    boolean unicast = type == Ipv4Operations.RTN_UNICAST;
    boolean host = type == Ipv4Operations.RTN_LOCAL;
    FibRoute route =
        new FibRoute(
            destination,
            length,
            type,
            host ? FibRoute.RT_SCOPE_HOST : FibRoute.RT_SCOPE_LINK,
            unicast ? FibRoute.RT_TABLE_MAIN : FibRoute.RT_TABLE_LOCAL,
            0,
            0,
            0,
            dev,
            host ? FibRoute.RT_SCOPE_NOWHERE : FibRoute.RT_SCOPE_HOST,
            source,
            0,
            0);
    FibTable table = unicast ? main : local;
    for (FibRoute known : table.routes()) {
      if (known.table == route.table
          && known.destination == destination
          && known.prefixLength == length
          && known.type == type
          && known.dev == dev
          && known.preferredSource == source
          && known.scope == route.scope) {
        return;
      }
    }
    table.insert(route);
  }

  /**
   * Plays `ip route add` (inet_rtm_newroute, fib_create_info).
   *
   * @throws IllegalArgumentException with a message for users when the kernel would refuse it
   */
  public FibRoute addRoute(FibConfig config) {
    String prefix = Ip4.format(config.destination()) + "/" + config.prefixLength();
    if ((config.destination() & ~Ip4.mask(config.prefixLength())) != 0) {
      throw refused(prefix, "the address has bits outside of its prefix");
    }
    int type = config.type();
    boolean nowhere =
        type == Ipv4Operations.RTN_BLACKHOLE
            || type == Ipv4Operations.RTN_UNREACHABLE
            || type == Ipv4Operations.RTN_PROHIBIT
            || type == Ipv4Operations.RTN_THROW;
    if (nowhere && (config.gateway() != 0 || config.dev() != null)) {
      throw refused(prefix, "a route of this type takes neither gateway nor device");
    }
    int scope = scope(config);
    NetDevice dev = config.dev();
    int nextHopScope = FibRoute.RT_SCOPE_NOWHERE;
    if (!nowhere) {
      if (dev != null && (dev.flags & NetDevice.IFF_UP) == 0) {
        throw refused(prefix, "device " + dev + " is not up");
      }
      if (dev != null && devices.of(dev) == null) {
        throw refused(prefix, "device " + dev + " has no IPv4");
      }
      if (scope == FibRoute.RT_SCOPE_HOST) {
        if (config.gateway() != 0) {
          throw refused(prefix, "a local route takes no gateway");
        }
        if (dev == null) {
          throw refused(prefix, "a local route needs a device");
        }
      } else if (config.gateway() == 0) {
        if (dev == null) {
          throw refused(prefix, "it needs a gateway or a device");
        }
        nextHopScope = FibRoute.RT_SCOPE_HOST;
      } else if (config.onLink()) {
        if (dev == null) {
          throw refused(prefix, "an on-link gateway needs a device");
        }
        if (addressType(config.gateway(), null) != Ipv4Operations.RTN_UNICAST) {
          throw refused(prefix, "gateway " + Ip4.format(config.gateway()) + " is not a neighbour");
        }
        nextHopScope = FibRoute.RT_SCOPE_LINK;
      } else {
        FibRoute way = wayTo(config, prefix, scope);
        nextHopScope = way.scope;
        dev = way.dev;
        if (nextHopScope <= scope) {
          throw refused(
              prefix, "gateway " + Ip4.format(config.gateway()) + " is itself behind a gateway");
        }
      }
    }
    if (config.preferredSource() != 0
        && addressType(config.preferredSource(), null) != Ipv4Operations.RTN_LOCAL) {
      throw refused(
          prefix, "source " + Ip4.format(config.preferredSource()) + " is no address of this host");
    }
    FibRoute route =
        new FibRoute(
            config.destination(),
            config.prefixLength(),
            type,
            scope,
            config.table(),
            config.metric(),
            config.tos(),
            config.gateway(),
            dev,
            nextHopScope,
            config.preferredSource(),
            config.mtu(),
            config.flow());
    FibTable table = table(config.table());
    FibRoute same = table.same(route);
    if (same != null) {
      throw refused(
          prefix,
          "table "
              + FibRoute.tableName(config.table())
              + " has one of the same metric already: "
              + same);
    }
    table.insert(route);
    realms |= config.flow() != 0;
    if (config.type() == Ipv4Operations.RTN_LOCAL) {
      customLocalRoutes = true;
    }
    return route;
  }

  /** What ip-route(8) says for the scope when the user says nothing. */
  private static int scope(FibConfig config) {
    return switch (config.type()) {
      case Ipv4Operations.RTN_LOCAL -> FibRoute.RT_SCOPE_HOST;
      case Ipv4Operations.RTN_BROADCAST, Ipv4Operations.RTN_MULTICAST, Ipv4Operations.RTN_ANYCAST ->
          FibRoute.RT_SCOPE_LINK;
      case Ipv4Operations.RTN_UNICAST ->
          config.gateway() == 0 ? FibRoute.RT_SCOPE_LINK : FibRoute.RT_SCOPE_UNIVERSE;
      default -> FibRoute.RT_SCOPE_UNIVERSE;
    };
  }

  /** Plays fib_check_nh_v4_gw: the route that leads to the gateway. */
  private FibRoute wayTo(FibConfig config, String prefix, int scope) {
    int oif = config.dev() == null ? 0 : config.dev().ifindex;
    int wanted = Math.max(scope + 1, FibRoute.RT_SCOPE_LINK);
    FibTable table = tables.get(config.table());
    answer.clear();
    int error = FibTable.NO_MATCH;
    if (table != null) {
      error = table.lookup(config.gateway(), 0, wanted, oif, answer);
    }
    if (error != 0) {
      question.reset(config.gateway());
      question.scope = wanted;
      question.oif = oif;
      error = lookup(question, answer);
    }
    if (error != 0
        || answer.type != Ipv4Operations.RTN_UNICAST && answer.type != Ipv4Operations.RTN_LOCAL) {
      throw refused(
          prefix,
          "gateway "
              + Ip4.format(config.gateway())
              + " is not reachable"
              + (oif == 0 ? " over any connected network" : " on " + config.dev()));
    }
    return answer.route;
  }

  private static IllegalArgumentException refused(String prefix, String why) {
    return new IllegalArgumentException("route to " + prefix + ": " + why);
  }

  /** Plays `ip rule add`. */
  public void addRule(FibRule rule) {
    if (!customRules) {
      customRules = true;
      unmerge();
    }
    int at = 0;
    while (at < rules.size() && rules.get(at).priority() <= rule.priority()) {
      at++;
    }
    rules.add(at, rule);
    orderRules();
  }

  /** Plays fib_unmerge. */
  private void unmerge() {
    FibTable merged = local;
    local = new FibTable();
    main = new FibTable();
    tables.put(FibRoute.RT_TABLE_LOCAL, local);
    tables.put(FibRoute.RT_TABLE_MAIN, main);
    for (FibRoute route : merged.routes()) {
      (route.table == FibRoute.RT_TABLE_LOCAL ? local : main).insert(route);
    }
  }

  private void orderRules() {
    ruleOrder = rules.toArray(new FibRule[0]);
    ruleTables = new FibTable[ruleOrder.length];
    for (int i = 0; i < ruleOrder.length; i++) {
      if (ruleOrder[i].action() == Ipv4Operations.RTN_UNICAST) {
        ruleTables[i] = table(ruleOrder[i].table());
      }
    }
  }

  private FibTable table(int number) {
    return tables.computeIfAbsent(number, absent -> new FibTable());
  }

  /**
   * Plays fib_lookup.
   *
   * @return 0 with {@code result} filled, or a negative errno; then result.route and result.rule
   *     say whose it is, if anybody's
   */
  int lookup(Flowi4 key, FibResult result) {
    return lookup(key.daddr, key.saddr, key.mark, key.tos, key.scope, key.iif, key.oif, result);
  }

  int lookup(
      int daddr, int saddr, int mark, int tos, int scope, int iif, int oif, FibResult result) {
    result.clear();
    if (!customRules) {
      int error = main.lookup(daddr, tos, scope, oif, result);
      if (error == FibTable.NO_MATCH) {
        result.clear();
        error = defaults.lookup(daddr, tos, scope, oif, result);
      }
      if (error != FibTable.NO_MATCH) {
        return error;
      }
      result.clear();
      return -Rtable.ENETUNREACH;
    }
    for (int i = 0; i < ruleOrder.length; i++) {
      FibRule rule = ruleOrder[i];
      if (!rule.matches(daddr, saddr, mark, tos, iif, oif)) {
        continue;
      }
      FibTable table = ruleTables[i];
      result.rule = rule;
      if (table == null) {
        return rule.error();
      }
      int error = table.lookup(daddr, tos, scope, oif, result);
      if (error != FibTable.NO_MATCH) {
        return error;
      }
      result.clear();
    }
    return -Rtable.ENETUNREACH;
  }

  /** Plays __inet_dev_addr_type on table local. */
  int addressType(int address, NetDevice dev) {
    if (address == 0 || address == -1) {
      return Ipv4Operations.RTN_BROADCAST;
    }
    if (Ip4.isMulticast(address)) {
      return Ipv4Operations.RTN_MULTICAST;
    }
    answer.clear();
    if (local.lookup(address, 0, 0, 0, answer) == 0 && (dev == null || dev == answer.route.dev)) {
      return answer.type;
    }
    return Ipv4Operations.RTN_UNICAST;
  }

  /** Plays __ip_dev_find: the interface whose own address this is, or null. */
  NetDevice ownerOf(int address) {
    InDevice in = devices.owner(address);
    if (in != null) {
      return in.dev;
    }
    answer.clear();
    if (local.lookup(address, 0, 0, 0, answer) == 0 && answer.type == Ipv4Operations.RTN_LOCAL) {
      return answer.route.dev;
    }
    return null;
  }
}
