// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;

/**
 * Plays struct nf_conntrack_tuple: one direction of a connection, as reusable working space.
 *
 * <p>For ICMP {@link #sourcePort} is the identifier and {@link #destinationPort} is type times 256
 * plus code; protocols without ports have 0 in both; GRE has keys.
 */
public final class ConntrackTuple {
  /** Source address. */
  public int source;

  /** Destination address. */
  public int destination;

  /** Source port, ICMP identifier, or 0; 0 to 65535. */
  public int sourcePort;

  /** Destination port, ICMP type and code, or 0; 0 to 65535. */
  public int destinationPort;

  /** IP protocol number. */
  public int protocol;

  /** Both ports in one word, source first. */
  int ports() {
    return sourcePort << 16 | destinationPort;
  }

  /** Takes both ports out of one word. */
  void ports(int ports) {
    sourcePort = ports >>> 16;
    destinationPort = ports & 0xFFFF;
  }

  /** Copies {@code other}. */
  public void set(ConntrackTuple other) {
    source = other.source;
    destination = other.destination;
    sourcePort = other.sourcePort;
    destinationPort = other.destinationPort;
    protocol = other.protocol;
  }

  /** Plays nf_ct_tuple_equal. */
  public boolean sameAs(ConntrackTuple other) {
    return source == other.source
        && destination == other.destination
        && sourcePort == other.sourcePort
        && destinationPort == other.destinationPort
        && protocol == other.protocol;
  }

  /**
   * Plays nf_ct_invert_tuple: makes this the other direction of {@code original}, which may be this
   * tuple itself.
   *
   * @return false when there is none: an ICMP message that is no query
   */
  public boolean invert(ConntrackTuple original) {
    int newSource = original.destination;
    int newDestination = original.source;
    int newSourcePort = original.destinationPort;
    int newDestinationPort = original.sourcePort;
    if (original.protocol == IpHeader.IPPROTO_ICMP) {
      int inverse = inverseIcmpType(original.destinationPort >>> 8);
      if (inverse < 0) {
        return false;
      }
      newSourcePort = original.sourcePort;
      newDestinationPort = inverse << 8 | original.destinationPort & 0xFF;
    }
    source = newSource;
    destination = newDestination;
    sourcePort = newSourcePort;
    destinationPort = newDestinationPort;
    protocol = original.protocol;
    return true;
  }

  private static int inverseIcmpType(int type) {
    switch (type) {
      case IcmpHeader.ECHO:
        return IcmpHeader.ECHO_REPLY;
      case IcmpHeader.ECHO_REPLY:
        return IcmpHeader.ECHO;
      case IcmpHeader.TIMESTAMP:
        return IcmpHeader.TIMESTAMP_REPLY;
      case IcmpHeader.TIMESTAMP_REPLY:
        return IcmpHeader.TIMESTAMP;
      case IcmpHeader.INFO_REQUEST:
        return IcmpHeader.INFO_REPLY;
      case IcmpHeader.INFO_REPLY:
        return IcmpHeader.INFO_REQUEST;
      case IcmpHeader.ADDRESS:
        return IcmpHeader.ADDRESS_REPLY;
      case IcmpHeader.ADDRESS_REPLY:
        return IcmpHeader.ADDRESS;
      default:
        return -1;
    }
  }

  /** For people: {@code 198.51.100.9:40000 > 203.0.113.1:8080}. */
  @Override
  public String toString() {
    if (protocol == IpHeader.IPPROTO_ICMP) {
      return Ip4.format(source)
          + " > "
          + Ip4.format(destination)
          + " type "
          + (destinationPort >>> 8)
          + " code "
          + (destinationPort & 0xFF)
          + " id "
          + sourcePort;
    }
    if (sourcePort == 0 && destinationPort == 0) {
      return Ip4.format(source) + " > " + Ip4.format(destination);
    }
    return Ip4.format(source)
        + ":"
        + sourcePort
        + " > "
        + Ip4.format(destination)
        + ":"
        + destinationPort;
  }
}
