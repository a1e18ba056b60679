// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.lib.Ip4;

/**
 * Plays struct in_ifaddr: an address of an interface.
 *
 * @param address the address
 * @param prefixLength 0 to 32
 * @param broadcast explicitly given broadcast address, 0 for none
 * @param scope one of {@link FibRoute}'s RT_SCOPE_ constants
 * @param secondary another address of the same prefix was there before
 */
public record InterfaceAddress(
    int address, int prefixLength, int broadcast, int scope, boolean secondary) {

  /** Plays inet_ifa_match: {@code other} lies in this address's prefix. */
  public boolean contains(int other) {
    return ((other ^ address) & Ip4.mask(prefixLength)) == 0;
  }
}
