// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.nat.NatRange;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.TableKind;

/** How the targets of the nat table read and print their ranges. */
final class NatRangeOptions {
  private NatRangeOptions() {}

  /** {@code [ADDRESS[-ADDRESS]][:PORT[-PORT[/BASE]]]} and the flags. */
  static NatRange addressAndPorts(Options options, String option, boolean mayShift, int protocol) {
    String text = options.text(option);
    int flags = flags(options);
    int colon = text.indexOf(':');
    String addresses = colon < 0 ? text : text.substring(0, colon);
    int low = 0;
    int high = 0;
    if (!addresses.isEmpty()) {
      int dash = addresses.indexOf('-');
      low = options.address(option, dash < 0 ? addresses : addresses.substring(0, dash));
      high = dash < 0 ? low : options.address(option, addresses.substring(dash + 1));
      flags |= NatRange.MAP_IPS;
    } else if (colon < 0) {
      throw options.error(option, "--" + option + " takes ADDRESS[-ADDRESS][:PORT[-PORT]]");
    }
    if (colon < 0) {
      return new NatRange(flags, low, high, 0, 0, 0);
    }
    return ports(options, option, text.substring(colon + 1), flags, low, high, mayShift, protocol);
  }

  /** {@code PORT[-PORT]}, where it is given, and the flags. */
  static NatRange ports(Options options, String option, int protocol) {
    int flags = flags(options);
    return options.has(option)
        ? ports(options, option, options.text(option), flags, 0, 0, false, protocol)
        : new NatRange(flags, 0, 0, 0, 0, 0);
  }

  private static NatRange ports(
      Options options,
      String option,
      String text,
      int flags,
      int low,
      int high,
      boolean mayShift,
      int protocol) {
    if (!hasPorts(protocol)) {
      throw options.error(option, "a port needs -p tcp, udp, sctp, dccp or icmp");
    }
    flags |= NatRange.PROTO_SPECIFIED;
    int dash = text.indexOf('-');
    if (dash < 0 || !Character.isDigit(text.charAt(0))) {
      // A name may have a dash itself, so no range begins or ends with one.
      int port = options.port(option, text, 0);
      return new NatRange(flags, low, high, port, port, 0);
    }
    int slash = text.indexOf('/', dash);
    int base = 0;
    if (slash >= 0) {
      if (!mayShift) {
        throw options.error(option, "--" + option + ": /BASE is for DNAT only");
      }
      base = options.port(option, text.substring(slash + 1), 0);
      if (base == 0) {
        throw options.error(option, "--" + option + " " + text + ": ports are counted from 1");
      }
      flags |= NatRange.PROTO_OFFSET;
    }
    int first = number(options, option, text.substring(0, dash));
    int last = number(options, option, text.substring(dash + 1, slash < 0 ? text.length() : slash));
    if (last < first) {
      throw options.error(option, "--" + option + " " + text + ": the range is upside down");
    }
    return new NatRange(flags, low, high, first, last, base);
  }

  private static int number(Options options, String option, String text) {
    return (int) options.number(option, text, 0, 0xFFFF);
  }

  /** May ports be named with {@code -p protocol}? An ICMP identifier counts as one. */
  private static boolean hasPorts(int protocol) {
    return switch (protocol) {
      case 1, 6, 17, 33, 132 -> true;
      default -> false;
    };
  }

  /** The flags that were given. */
  private static int flags(Options options) {
    return (options.has("random") ? NatRange.PROTO_RANDOM : 0)
        | (options.has("random-fully") ? NatRange.PROTO_RANDOM_FULLY : 0)
        | (options.has("persistent") ? NatRange.PERSISTENT : 0);
  }

  /** Appends addresses and ports behind {@code --option}, then the flags. */
  static void save(StringBuilder out, String option, NatRange range) {
    if (range.has(NatRange.MAP_IPS) || range.has(NatRange.PROTO_SPECIFIED)) {
      out.append(" --").append(option).append(' ');
    }
    if (range.has(NatRange.MAP_IPS)) {
      out.append(Ip4.format(range.minAddress()));
      if (range.maxAddress() != range.minAddress()) {
        out.append('-').append(Ip4.format(range.maxAddress()));
      }
    }
    if (range.has(NatRange.PROTO_SPECIFIED)) {
      out.append(option.equals("to-ports") ? "" : ":").append(range.minPort());
      if (range.maxPort() != range.minPort()) {
        out.append('-').append(range.maxPort());
      }
      if (range.has(NatRange.PROTO_OFFSET)) {
        out.append('/').append(range.basePort());
      }
    }
    out.append(range.has(NatRange.PROTO_RANDOM) ? " --random" : "");
    out.append(range.has(NatRange.PROTO_RANDOM_FULLY) ? " --random-fully" : "");
    out.append(range.has(NatRange.PERSISTENT) ? " --persistent" : "");
  }

  /** Where a NAT target is refused. */
  static String refusal(RulePlace place, Hook first, Hook second) {
    if (place.table() != TableKind.NAT) {
      return place.onlyIn(TableKind.NAT);
    }
    return place.isReachedOutside(first.bit | second.bit)
        ? "only in "
            + first.chain
            + (first == second ? "" : " and " + second.chain)
            + " and chains that they alone call"
        : null;
  }
}
