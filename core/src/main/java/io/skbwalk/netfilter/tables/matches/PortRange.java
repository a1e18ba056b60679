// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;

/** A range of ports, perhaps inverted, as the TCP and UDP matches have two. */
public record PortRange(int low, int high, boolean inverted) {
  /** {@code --sport}, which every match with ports has. */
  static OptionSpec source() {
    return OptionSpec.value("source-port", "sport")
        .inverted()
        .about(
            "Source port: a port, a range such as \"1024:65535\", or a service's name.",
            "53",
            "1024:");
  }

  /** {@code --dport}, likewise. */
  static OptionSpec destination() {
    return OptionSpec.value("destination-port", "dport")
        .inverted()
        .about(
            "Destination port: a port, a range such as \"1024:65535\", or a service's name.",
            "80",
            "ssh");
  }

  /** The value of {@code option}, all ports without it; services by {@code protocol}'s names. */
  static PortRange parse(Options options, String option, int protocol) {
    long range = options.has(option) ? options.ports(option, protocol) : 0xFFFF;
    return new PortRange((int) (range >>> 32), (int) range, options.inverted(option));
  }

  /** Plays XTTYPE_PORTRC: the value of {@code option}, upside down or not; null without it. */
  static PortRange asked(Options options, String option) {
    if (!options.has(option)) {
      return null;
    }
    long range = options.libraryPorts(option);
    return new PortRange((int) (range >>> 32), (int) range, options.inverted(option));
  }

  boolean matches(int port) {
    return (port >= low && port <= high) != inverted;
  }

  void ask(PacketKey key, Conditions conditions) {
    conditions.range(key, low, high, inverted);
  }

  /** Appends the option; the whole range is left away. */
  void save(StringBuilder out, String option) {
    // iptables-save forgets an inverted whole range, which nothing matches.
    if (low != 0 || high != 0xFFFF) {
      saveAsked(out, option);
    }
  }

  /** Appends the option, the whole range, too. */
  void saveAsked(StringBuilder out, String option) {
    out.append(inverted ? " ! " : " ").append(option).append(' ').append(low);
    if (low != high) {
      out.append(':').append(high);
    }
  }
}
