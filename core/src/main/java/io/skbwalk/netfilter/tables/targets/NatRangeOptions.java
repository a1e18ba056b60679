// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.nat.NatRange;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.TableKind;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How the targets of the nat table read and print their ranges. */
final class NatRangeOptions {
  private static final Pattern NUMBER = Pattern.compile("0[xX][0-9a-fA-F]+|[0-9]+");

  private NatRangeOptions() {}

  /** {@code [ADDRESS[-ADDRESS]][:PORT[-PORT[/BASE]]]} and the flags. */
  static NatRange addressAndPorts(Options options, String option, int protocol) {
    String text = options.text(option);
    int flags = flags(options);
    int colon = text.indexOf(':');
    if (colon >= 0 && text.indexOf(':', colon + 1) >= 0) {
      colon = -1; // iptables takes two colons for IPv6
    }
    int low = 0;
    int high = 0;
    // A colon in the third place is taken for that of "[]:80", an IPv6 address that is left out.
    if (colon != 0 && colon != 2) {
      String addresses = colon < 0 ? text : text.substring(0, colon);
      int dash = addresses.indexOf('-');
      low = options.dotted(option, dash < 0 ? addresses : addresses.substring(0, dash));
      high = dash < 0 ? low : options.dotted(option, addresses.substring(dash + 1));
      flags |= NatRange.MAP_IPS;
    }
    NatRange range = new NatRange(flags, low, high, 0, 0, 0);
    return colon < 0
        ? range
        : withPorts(options, option, text.substring(colon + 1), range, protocol);
  }

  /** {@code PORT[-PORT[/BASE]]}, where it is given, and the flags. */
  static NatRange ports(Options options, String option, int protocol) {
    NatRange range = new NatRange(flags(options), 0, 0, 0, 0, 0);
    return options.has(option)
        ? withPorts(options, option, options.text(option), range, protocol)
        : range;
  }

  private static NatRange withPorts(
      Options options, String option, String text, NatRange range, int protocol) {
    if (!hasPorts(protocol)) {
      throw options.error(option, "a port needs -p tcp, udp, sctp, dccp or icmp");
    }
    int flags = range.flags() | NatRange.PROTO_SPECIFIED;
    int dash = text.indexOf('-');
    boolean named = text.isEmpty() || !Character.isDigit(text.charAt(0));
    if (dash < 0 || named) {
      int port = options.port(option, text, 0);
      return new NatRange(flags, range.minAddress(), range.maxAddress(), port, port, 0);
    }
    int slash = text.indexOf('/', dash);
    int first = port(options, option, text.substring(0, dash));
    int last = port(options, option, text.substring(dash + 1, slash < 0 ? text.length() : slash));
    if (last < first) {
      throw options.error(option, "--" + option + " " + text + ": the range is upside down");
    }
    int base = 0;
    if (slash >= 0) {
      flags |= NatRange.PROTO_OFFSET;
      base = base(options, option, text.substring(slash + 1));
    }
    return new NatRange(flags, range.minAddress(), range.maxAddress(), first, last, base);
  }

  private static int port(Options options, String option, String text) {
    return (int) options.number(option, text, 0, 0xFFFF);
  }

  private static int base(Options options, String option, String text) {
    // What follows the number is not looked at.
    Matcher number = NUMBER.matcher(text);
    int base = options.port(option, number.lookingAt() ? number.group() : text, 0);
    if (base == 0) {
      throw options.error(option, "--" + option + ": the base is a port from 1 to 65535");
    }
    return base;
  }

  /** What is left for targets that know of no base: the kernel counts from 0. */
  static NatRange withoutBase(NatRange range) {
    return new NatRange(
        range.flags(), range.minAddress(), range.maxAddress(), range.minPort(), range.maxPort(), 0);
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
