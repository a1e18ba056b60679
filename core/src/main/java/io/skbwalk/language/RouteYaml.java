// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.host.HostDescription.PolicyRule;
import io.skbwalk.host.HostDescription.Route;
import io.skbwalk.host.HostDescription.RouteType;
import io.skbwalk.lib.Ip4;
import java.util.Map;

/** Routes and policy rules of a host in YAML: what {@code ip route} and {@code ip rule} show. */
final class RouteYaml {
  private static final int MAIN_TABLE = 254;
  private static final Map<String, Integer> TABLES =
      Map.of("main", MAIN_TABLE, "local", 255, "default", 253);

  private RouteYaml() {}

  /** The name of a table, or its number. */
  static String table(int number) {
    return TABLES.entrySet().stream()
        .filter(entry -> entry.getValue() == number)
        .map(Map.Entry::getKey)
        .findFirst()
        .orElseGet(() -> Integer.toUnsignedString(number));
  }

  /** A route; {@code device} is the interface that it stands under, or null. */
  static Route route(YamlValue value, String device) {
    YamlValue.Fields fields =
        value.fields(
            "a route",
            "to",
            "via",
            "type",
            "table",
            "metric",
            "from",
            "mtu",
            "on-link",
            "realm",
            "interface");
    Prefix to = Prefix.network(fields.require("to"));
    YamlValue type = fields.get("type");
    RouteType routeType = type == null ? RouteType.UNICAST : routeType(type);
    YamlValue via = fields.get("via");
    String out = fields.text("interface", device);
    if (routeType == RouteType.UNICAST) {
      if (via == null && out == null) {
        throw value.error(
            "a route needs via, an interface, or a type (blackhole, unreachable, prohibit, throw)");
      }
    } else if (via != null) {
      throw via.error("a route of type " + type.text() + " leads nowhere and has no via");
    }
    return new Route(
        to.address(),
        to.length(),
        routeType,
        via == null ? 0 : via.parsed(Ip4::parse),
        routeType == RouteType.UNICAST || routeType == RouteType.LOCAL ? out : null,
        table(fields, MAIN_TABLE),
        (int) fields.number("metric", 0, 0xFFFFFFFFL, 0),
        fields.get("from") == null ? 0 : fields.get("from").parsed(Ip4::parse),
        (int) fields.number("mtu", 68, 65_535, 0),
        fields.bool("on-link", false),
        realm(fields.get("realm")));
  }

  /** As `ip route` takes it: {@code TO}, or {@code FROM/TO}. */
  private static int realm(YamlValue value) {
    if (value == null) {
      return 0;
    }
    int realms = 0;
    for (String part : value.text().split("/", 2)) {
      if (!part.matches("\\d{1,3}") || Integer.parseInt(part) > 255) {
        throw value.error(
            "a realm is a number from 0 to 255, or FROM/TO, not \"" + value.text() + "\"");
      }
      realms = realms << 16 | Integer.parseInt(part);
    }
    return realms;
  }

  private static RouteType routeType(YamlValue value) {
    return switch (value.text()) {
      case "unicast" -> RouteType.UNICAST;
      case "unreachable" -> RouteType.UNREACHABLE;
      case "prohibit" -> RouteType.PROHIBIT;
      case "blackhole" -> RouteType.BLACKHOLE;
      case "throw" -> RouteType.THROW;
      case "local" -> RouteType.LOCAL;
      default ->
          throw value.error(
              "unknown route type \""
                  + value.text()
                  + "\"; known: unicast, local, unreachable, prohibit, blackhole, throw");
    };
  }

  private static int table(YamlValue.Fields fields, int otherwise) {
    YamlValue value = fields.get("table");
    if (value == null) {
      return otherwise;
    }
    Integer named = TABLES.get(value.text());
    return named != null ? named : (int) value.number(1, 0xFFFFFFFFL);
  }

  /** A policy rule. */
  static PolicyRule policyRule(YamlValue value) {
    YamlValue.Fields fields =
        value.fields(
            "a routing policy",
            "priority",
            "from",
            "to",
            "mark",
            "type-of-service",
            "iif",
            "oif",
            "table",
            "type",
            "not");
    Prefix from = fields.get("from") == null ? Prefix.ALL : Prefix.network(fields.get("from"));
    Prefix to = fields.get("to") == null ? Prefix.ALL : Prefix.network(fields.get("to"));
    int mark = 0;
    int mask = 0;
    YamlValue marked = fields.get("mark");
    if (marked != null) {
      String[] parts = marked.text().split("/", 2);
      mark = word(marked, parts[0]);
      mask = parts.length == 2 ? word(marked, parts[1]) : -1;
    }
    YamlValue type = fields.get("type");
    if (type == null) {
      fields.require("table");
    }
    RouteType action = type == null ? RouteType.UNICAST : routeType(type);
    if (action == RouteType.THROW || action == RouteType.LOCAL) {
      throw type.error("a routing policy's type is unreachable, prohibit or blackhole");
    }
    return new PolicyRule(
        (int) fields.require("priority").number(1, 32_765),
        from.address(),
        from.length(),
        to.address(),
        to.length(),
        mark,
        mask,
        (int) fields.number("type-of-service", 0, 255, 0),
        fields.text("iif", null),
        fields.text("oif", null),
        table(fields, 0),
        action,
        fields.bool("not", false));
  }

  private static int word(YamlValue value, String text) {
    try {
      long number = Long.decode(text);
      if (number >= 0 && number <= 0xFFFFFFFFL) {
        return (int) number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw value.error("a mark is a 32-bit number, or value/mask, not \"" + value.text() + "\"");
  }
}
