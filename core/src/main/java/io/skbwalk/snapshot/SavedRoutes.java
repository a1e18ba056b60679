// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import io.skbwalk.host.HostDescription.Address;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.lib.Ip4;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Routes of all tables, as {@code ip -4 -N -j -d route show table all} prints them. Those that
 * Linux makes by itself for each address are not among them: so does the model.
 */
final class SavedRoutes {
  private static final int MAIN_TABLE = 254;
  private static final int LOCAL_TABLE = 255;
  private static final Set<String> KERNEL = Set.of("kernel", "2");

  private final SavedInterfaces interfaces;
  private final List<Omission> omissions;
  private final List<Route> local = new ArrayList<>();
  private final List<Route> direct = new ArrayList<>();
  private final List<Route> viaGateways = new ArrayList<>();

  SavedRoutes(String text, SavedInterfaces interfaces, List<Omission> omissions) {
    this.interfaces = interfaces;
    this.omissions = omissions;
    for (IpJson route : IpJson.list(SavedOutput.ROUTES.file, text)) {
      route(route);
    }
  }

  /**
   * When a route names a source it must be there, as addresses of lo are by their routes; and so
   * must the way to a gateway.
   */
  List<Route> routes() {
    List<Route> all = new ArrayList<>(local);
    all.addAll(direct);
    all.addAll(viaGateways);
    return all;
  }

  /** The number of a table by its name or number; -1 for a name that only its machine knows. */
  static int table(String table) {
    return switch (table) {
      case "main" -> MAIN_TABLE;
      case "local" -> LOCAL_TABLE;
      case "default" -> 253;
      default -> table.matches("\\d+") ? Integer.parseUnsignedInt(table) : -1;
    };
  }

  private void route(IpJson route) {
    String dst = route.text("dst", "default");
    if (dst.contains(":")) {
      return; // IPv6, which has been said.
    }
    List<IpJson> hops = route.objects("nexthops");
    IpJson hop = hops.isEmpty() ? route : hops.get(0);
    String device = hop.text("dev");
    if (interfaces.isLeftOut(device)) {
      return;
    }
    int table = table(route.text("table", "main"));
    String named = table == MAIN_TABLE ? "main" : route.text("table");
    String what = "route " + dst + " of table " + named;
    RouteType type = type(route.text("type", "unicast"));
    int slash = dst.indexOf('/');
    boolean all = dst.equals("default");
    int destination = all ? 0 : Ip4.parse(slash < 0 ? dst : dst.substring(0, slash));
    int length = all ? 0 : slash < 0 ? 32 : Integer.parseInt(dst.substring(slash + 1));
    if (isImplied(route, type, destination, length, table, device, what)) {
      return;
    }
    String reason = reasonToLeaveOut(route, hop, type, table, device);
    if (reason != null) {
      omissions.add(new Omission(what, reason + "; it is left out"));
      return;
    }
    if (hops.size() > 1) {
      omissions.add(
          new Omission(
              what,
              "several next hops are not modelled; here all goes by the first, "
                  + hop.text("gateway", device)));
    }
    boolean leads = type == RouteType.UNICAST;
    int gateway = hop.has("gateway") ? Ip4.parse(hop.text("gateway")) : 0;
    boolean ofLoopback = type == RouteType.LOCAL && isKernels(route);
    (type == RouteType.LOCAL ? local : gateway == 0 ? direct : viaGateways)
        .add(
            new Route(
                destination,
                length,
                type,
                gateway,
                leads || type == RouteType.LOCAL ? device : null,
                table,
                route.number("metric", 0),
                // The address itself, which is not there before its route.
                route.has("prefsrc") && !ofLoopback ? Ip4.parse(route.text("prefsrc")) : 0,
                mtu(route),
                route.lists("flags", "onlink") || hop.lists("flags", "onlink"),
                realm(route, what)));
  }

  /** Null for types that the model does not have. */
  private static RouteType type(String type) {
    return switch (type) {
      case "unicast", "1" -> RouteType.UNICAST;
      case "local", "2" -> RouteType.LOCAL;
      case "blackhole", "6" -> RouteType.BLACKHOLE;
      case "unreachable", "7" -> RouteType.UNREACHABLE;
      case "prohibit", "8" -> RouteType.PROHIBIT;
      case "throw", "9" -> RouteType.THROW;
      default -> null;
    };
  }

  private String reasonToLeaveOut(
      IpJson route, IpJson hop, RouteType type, int table, String device) {
    if (type == null) {
      return "routes of type " + route.text("type") + " are not modelled";
    }
    if (table == -1) {
      return "the number of its table is not known (ip -N)";
    }
    if (route.has("encap") || hop.has("encap")) {
      return "tunnels are not modelled";
    }
    if (route.has("via") || hop.has("via")) {
      return "its gateway is one of IPv6";
    }
    if (route.has("tos")) {
      return "routes for one type of service are not modelled";
    }
    if (route.lists("flags", "dead") || hop.lists("flags", "dead")) {
      return "it is dead";
    }
    if (device != null && !interfaces.has(device)) {
      return "there is no interface " + device;
    }
    return null;
  }

  // ---- those of addresses -----------------------------------------------------------------------

  private static boolean isKernels(IpJson route) {
    return KERNEL.contains(route.text("protocol", ""));
  }

  /** Does Linux make it for an address, and so the model? */
  private boolean isImplied(
      IpJson route,
      RouteType type,
      int destination,
      int length,
      int table,
      String device,
      String what) {
    if (device == null || !isKernels(route)) {
      return false;
    }
    boolean broadcast = Set.of("broadcast", "3").contains(route.text("type", ""));
    if (device.equals("lo")) {
      return destination >>> 24 == 127 && (broadcast || type == RouteType.LOCAL);
    }
    for (Address one : interfaces.addresses(device)) {
      int mask = Ip4.mask(one.prefixLength());
      int network = one.address() & mask;
      if (type == RouteType.LOCAL && length == 32 && destination == one.address()
          || broadcast && (destination == network || destination == (network | ~mask))) {
        return true;
      }
      if (type == RouteType.UNICAST
          && table == MAIN_TABLE
          && !route.has("gateway")
          && destination == network
          && length == one.prefixLength()) {
        if (route.number("metric", 0) != 0) {
          omissions.add(
              new Omission(
                  what,
                  "the network of an address of "
                      + device
                      + " has the metric 0 here, not "
                      + Integer.toUnsignedString(route.number("metric", 0))));
        }
        return true;
      }
    }
    return false;
  }

  // ---- attributes -------------------------------------------------------------------------------

  private static int mtu(IpJson route) {
    for (IpJson metrics : route.objects("metrics")) {
      if (metrics.has("mtu")) {
        return metrics.number("mtu", 0);
      }
    }
    return 0;
  }

  private int realm(IpJson route, String what) {
    IpJson flow = route.object("flow");
    String from = flow.text("from", "0");
    String to = flow.text("to", "0");
    if (!from.matches("\\d{1,3}") || !to.matches("\\d{1,3}")) {
      omissions.add(new Omission("realm of " + what, "its number is not known (ip -N)"));
      return 0;
    }
    return Integer.parseInt(from) << 16 | Integer.parseInt(to);
  }
}
