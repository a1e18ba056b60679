// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

/** A range of ports, perhaps inverted, as the TCP and UDP matches have two. */
final class PortRange {
  private PortRange() {}

  static boolean matches(int port, int low, int high, boolean inverted) {
    return (port >= low && port <= high) != inverted;
  }

  /** Appends the option; the whole range is left away. */
  static void save(StringBuilder out, String option, int low, int high, boolean inverted) {
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
