// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays ip4addrptr and ip_set_getport.c: the element that a packet stands for. */
final class PacketElement {
  private static final int IPPROTO_SCTP = 132;
  private static final int IPPROTO_UDPLITE = 136;

  private PacketElement() {}

  /**
   * Reads the parts of a type's elements out of the packet, each in the direction that is asked.
   *
   * @return false when the packet has none of one of them: -EINVAL
   */
  static boolean read(SetType type, SkBuff skb, SetQuery query, SetEntry entry) {
    boolean second = false;
    for (int i = 0; i < type.parts.size(); i++) {
      boolean source = query.isSource(i + 1);
      boolean there = true;
      switch (type.parts.get(i)) {
        case IP, NET -> {
          int address = source ? IpHeader.source(skb) : IpHeader.destination(skb);
          if (second) {
            entry.ip2[0] = address;
          } else {
            entry.ip[0] = address;
          }
          second = true;
        }
        case PORT -> there = readPort(skb, source, entry);
        case MAC -> there = readMac(skb, source, entry);
        case MARK -> entry.mark = skb.mark;
        case IFACE -> {
          NetDevice device = source ? query.in : query.out;
          there = device != null;
          entry.iface = there ? device.name : null;
        }
        case NAME -> throw new IllegalStateException();
      }
      if (!there) {
        return false;
      }
    }
    return true;
  }

  /** How many bytes of a transport header must be there for its ports to be read; 0 for none. */
  private static int headerLength(int protocol) {
    return switch (protocol) {
      case IpHeader.IPPROTO_TCP -> 20;
      case IPPROTO_SCTP -> 12;
      case IpHeader.IPPROTO_UDP, IPPROTO_UDPLITE, IpHeader.IPPROTO_ICMP -> 8;
      default -> 0;
    };
  }

  /** Are ports of this protocol ports (ip_set_proto_with_ports)? */
  static boolean hasPorts(int protocol) {
    return headerLength(protocol) != 0 && protocol != IpHeader.IPPROTO_ICMP;
  }

  private static boolean readPort(SkBuff skb, boolean source, SetEntry entry) {
    int protocol = IpHeader.protocol(skb);
    int needed = headerLength(protocol);
    entry.protocol = protocol;
    entry.port = 0;
    if (protocol == 0) {
      return false;
    }
    if (needed == 0) {
      return true;
    }
    int header = skb.networkHeader + IpHeader.headerLength(skb);
    if ((IpHeader.fragment(skb) & IpHeader.IP_OFFSET) != 0 || skb.tail - header < needed) {
      return false;
    }
    boolean first = source || protocol == IpHeader.IPPROTO_ICMP;
    entry.port = skb.u16(first ? header : header + 2);
    return true;
  }

  private static boolean readMac(SkBuff skb, boolean source, SetEntry entry) {
    NetDevice device = NetDevice.of(skb);
    if (device == null
        || device.isLoopback()
        || skb.macHeader < 0
        || skb.macHeader + EthernetHeader.LENGTH > skb.networkHeader) {
      return false;
    }
    entry.mac =
        source
            ? EthernetHeader.source(skb, skb.macHeader)
            : EthernetHeader.destination(skb, skb.macHeader);
    return entry.mac != 0;
  }
}
