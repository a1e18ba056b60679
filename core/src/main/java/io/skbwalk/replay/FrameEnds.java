// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.lib.TextBytes;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;

/** Who sends the IPv4 packet of an Ethernet frame to whom. */
final class FrameEnds {
  private FrameEnds() {}

  /** Where the IPv4 header is, behind all VLAN tags; -1 when there is none. */
  static int ip(byte[] bytes, int from, int to) {
    int at = from + EthernetHeader.TYPE_OFFSET;
    while (at + 2 <= to
        && (u16(bytes, at) == EthernetHeader.ETH_P_8021Q
            || u16(bytes, at) == EthernetHeader.ETH_P_8021AD)) {
      at += 4;
    }
    boolean is =
        at + 2 + IpHeader.MIN_LENGTH <= to
            && u16(bytes, at) == EthernetHeader.ETH_P_IP
            && (bytes[at + 2] & 0xF0) == 0x40;
    return is ? at + 2 : -1;
  }

  /** Where the ports of the packet at {@code ip} are, or -1. */
  static int ports(byte[] bytes, int ip, int to) {
    int protocol = bytes[ip + IpHeader.PROTOCOL_OFFSET] & 0xFF;
    boolean has = protocol == IpHeader.IPPROTO_TCP || protocol == IpHeader.IPPROTO_UDP;
    int at = ip + (bytes[ip] & 15) * 4;
    boolean first = (u16(bytes, ip + IpHeader.FRAGMENT_OFFSET) & IpHeader.IP_OFFSET) == 0;
    return has && first && at + 4 <= to ? at : -1;
  }

  /** Appends {@code 192.0.2.1:1025 > 192.0.2.2:80}; nothing when it is not IPv4. */
  static void append(TextBytes text, byte[] bytes, int from, int to) {
    int ip = ip(bytes, from, to);
    if (ip >= 0) {
      int ports = ports(bytes, ip, to);
      end(text, bytes, ip + IpHeader.SOURCE_OFFSET, ports);
      text.append(" > ");
      end(text, bytes, ip + IpHeader.DESTINATION_OFFSET, ports < 0 ? -1 : ports + 2);
    }
  }

  private static void end(TextBytes text, byte[] bytes, int address, int port) {
    text.address(u32(bytes, address));
    if (port >= 0) {
      text.append(':').append(u16(bytes, port));
    }
  }

  /** Has frame {@code a} IPv4 ends, and {@code b} others or none? */
  static boolean areOthers(byte[] a, int fromA, int toA, byte[] b, int fromB, int toB) {
    int ipA = ip(a, fromA, toA);
    int ipB = ip(b, fromB, toB);
    if (ipA < 0 || ipB < 0) {
      return ipA >= 0;
    }
    int portsA = ports(a, ipA, toA);
    int portsB = ports(b, ipB, toB);
    return u32(a, ipA + IpHeader.SOURCE_OFFSET) != u32(b, ipB + IpHeader.SOURCE_OFFSET)
        || u32(a, ipA + IpHeader.DESTINATION_OFFSET) != u32(b, ipB + IpHeader.DESTINATION_OFFSET)
        || portsA < 0 != portsB < 0
        || portsA >= 0 && u32(a, portsA) != u32(b, portsB);
  }

  static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }

  static int u32(byte[] bytes, int at) {
    return u16(bytes, at) << 16 | u16(bytes, at + 2);
  }
}
