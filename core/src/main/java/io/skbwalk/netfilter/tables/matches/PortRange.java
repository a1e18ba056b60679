// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Options;

/** A range of ports, perhaps inverted, as the TCP and UDP matches have two. */
public record PortRange(int low, int high, boolean inverted) {
  /** The value of {@code option}, all ports without it; services by {@code protocol}'s names. */
  static PortRange parse(Options options, String option, int protocol) {
    long range = options.has(option) ? options.ports(option, protocol) : 0xFFFF;
    return new PortRange((int) (range >>> 32), (int) range, options.inverted(option));
  }

  boolean matches(int port) {
    return (port >= low && port <= high) != inverted;
  }

  /** Appends the option; the whole range is left away. */
  void save(StringBuilder out, String option) {
    // iptables-save forgets an inverted whole range, which nothing matches.
    if (low == 0 && high == 0xFFFF) {
      return;
    }
    out.append(inverted ? " ! " : " ").append(option).append(' ').append(low);
    if (low != high) {
      out.append(':').append(high);
    }
  }
}
