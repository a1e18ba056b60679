// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.Ip4;

/**
 * Plays struct ipt_ip: what every rule may ask without {@code -m}, immutable. Addresses are already
 * under their masks.
 *
 * @param in interface name, with a last {@code +} for all that begin so; empty for any
 * @param out likewise
 * @param protocol IANA number, 0 for any
 * @param fragment {@code -f}: second and further fragments only
 * @param notFragment {@code ! -f}: everything else
 */
public record BasicMatch(
    int source,
    int sourceMask,
    boolean notSource,
    int destination,
    int destinationMask,
    boolean notDestination,
    String in,
    boolean notIn,
    String out,
    boolean notOut,
    int protocol,
    boolean notProtocol,
    boolean fragment,
    boolean notFragment) {
  /** Matches everything. */
  public static final BasicMatch ANY =
      new BasicMatch(0, 0, false, 0, 0, false, "", false, "", false, 0, false, false, false);

  /** Appends it as iptables-save does, each part with a leading blank. */
  public void save(StringBuilder out) {
    address(out, "-s", source, sourceMask, notSource);
    address(out, "-d", destination, destinationMask, notDestination);
    name(out, "-i", in, notIn);
    name(out, "-o", this.out, notOut);
    if (protocol != 0) {
      out.append(notProtocol ? " ! -p " : " -p ").append(Names.protocol(protocol));
    }
    if (fragment || notFragment) {
      out.append(notFragment ? " ! -f" : " -f");
    }
  }

  private static void address(
      StringBuilder out, String option, int address, int mask, boolean inverted) {
    if (address == 0 && mask == 0 && !inverted) {
      return;
    }
    out.append(inverted ? " ! " : " ").append(option).append(' ').append(network(address, mask));
  }

  /** {@code 192.0.2.0/24}, or {@code 192.0.2.1/255.0.255.255} when the mask is no prefix. */
  public static String network(int address, int mask) {
    return Ip4.format(address) + "/" + maskText(mask);
  }

  /** The prefix length, or the mask in dotted decimals when it is none. */
  static String maskText(int mask) {
    int length = Integer.bitCount(mask);
    return Ip4.mask(length) == mask ? Integer.toString(length) : Ip4.format(mask);
  }

  private static void name(StringBuilder out, String option, String name, boolean inverted) {
    // iptables-save leaves "+" alone away, inverted or not.
    if (!name.isEmpty() && !name.equals("+")) {
      out.append(inverted ? " ! " : " ").append(option).append(' ').append(name);
    }
  }
}
