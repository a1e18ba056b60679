// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Ipv4Operations;

/**
 * Plays struct fib4_rule (`ip rule`): which table is asked for which packets.
 *
 * @param priority smaller first
 * @param from source network, all with fromLength 0
 * @param to destination network, all with toLength 0
 * @param mark compared under markMask; a mask of 0 compares nothing
 * @param tos 0 for all
 * @param iif index of the incoming interface (1, loopback, for own packets), 0 for all
 * @param oif index of the outgoing interface, 0 for all
 * @param action RTN_UNICAST looks {@code table} up; RTN_UNREACHABLE, RTN_PROHIBIT and RTN_BLACKHOLE
 *     end the lookup
 * @param table number of the table
 * @param inverted `not`
 */
public record FibRule(
    int priority,
    int from,
    int fromLength,
    int to,
    int toLength,
    int mark,
    int markMask,
    int tos,
    int iif,
    int oif,
    int action,
    int table,
    boolean inverted) {

  /** A rule that sends every packet to {@code table}. */
  static FibRule toTable(int priority, int table) {
    return new FibRule(
        priority, 0, 0, 0, 0, 0, 0, 0, 0, 0, Ipv4Operations.RTN_UNICAST, table, false);
  }

  /** Plays fib_rule_match. */
  boolean matches(int daddr, int saddr, int packetMark, int packetTos, int iif, int oif) {
    boolean match =
        (this.iif == 0 || this.iif == iif)
            && (this.oif == 0 || this.oif == oif)
            && ((mark ^ packetMark) & markMask) == 0
            && ((saddr ^ from) & Ip4.mask(fromLength)) == 0
            && ((daddr ^ to) & Ip4.mask(toLength)) == 0
            && (tos == 0 || tos == (packetTos & 0x1C));
    return match != inverted;
  }

  /** Plays fib4_rule_action for the actions that end a lookup: a negative errno. */
  int error() {
    return switch (action) {
      case Ipv4Operations.RTN_UNREACHABLE -> -Rtable.ENETUNREACH;
      case Ipv4Operations.RTN_PROHIBIT -> -Rtable.EACCES;
      default -> -Rtable.EINVAL;
    };
  }
}
