// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

import io.skbwalk.lib.Hex;
import io.skbwalk.lib.Mac;
import io.skbwalk.lib.TextBytes;

/**
 * One line about a packet, for people: protocol, addresses, flags, length. Reads what is there,
 * however little, and never throws.
 */
public final class PacketSummary {
  private static final String TCP_FLAGS = "FSRP.UEW";

  private final byte[] bytes;
  private final int end;
  private final TextBytes text = new TextBytes(80);

  private PacketSummary(byte[] bytes, int end) {
    this.bytes = bytes;
    this.end = end;
  }

  /** A frame of {@code length} bytes from {@code offset}, without its check sequence. */
  public static String ofFrame(byte[] bytes, int offset, int length) {
    PacketSummary summary = new PacketSummary(bytes, offset + length);
    summary.frame(offset);
    return summary.text.append(' ').append(length).append(" bytes").toString();
  }

  /** The IP packet at {@code skb.data}. */
  public static String ofPacket(SkBuff skb) {
    PacketSummary summary = new PacketSummary(skb.head, skb.tail);
    summary.ip(skb.data);
    return summary.text.append(' ').append(skb.length()).append(" bytes").toString();
  }

  private int u8(int at) {
    return bytes[at] & 0xFF;
  }

  private int u16(int at) {
    return u8(at) << 8 | u8(at + 1);
  }

  private int u32(int at) {
    return u16(at) << 16 | u16(at + 2);
  }

  private void frame(int at) {
    if (end - at < EthernetHeader.LENGTH) {
      text.append("truncated frame");
      return;
    }
    int type = u16(at + EthernetHeader.TYPE_OFFSET);
    int next = at + EthernetHeader.LENGTH;
    while ((type == EthernetHeader.ETH_P_8021Q || type == EthernetHeader.ETH_P_8021AD)
        && end - next >= 4) {
      text.append("vlan ").append(u16(next) & 0x0FFF).append(' ');
      type = u16(next + 2);
      next += 4;
    }
    switch (type) {
      case EthernetHeader.ETH_P_IP -> ip(next);
      case EthernetHeader.ETH_P_ARP -> arp(next);
      default -> {
        mac(at + EthernetHeader.SOURCE_OFFSET);
        text.append(" > ");
        mac(at);
        text.append(" type ").append(Hex.of16(type));
      }
    }
  }

  private void arp(int at) {
    if (end - at < 28 || u16(at + 4) != 0x0604) {
      text.append("ARP truncated");
      return;
    }
    switch (u16(at + 6)) {
      case 1 ->
          text.append("ARP who-has ").address(u32(at + 24)).append(" tell ").address(u32(at + 14));
      case 2 -> {
        text.append("ARP ").address(u32(at + 14)).append(" is-at ");
        mac(at + 8);
      }
      default -> text.append("ARP operation ").append(u16(at + 6));
    }
  }

  private void mac(int at) {
    text.append(Mac.format((long) u16(at) << 32 | u32(at + 2) & 0xFFFFFFFFL));
  }

  private void ip(int at) {
    if (end - at < IpHeader.MIN_LENGTH) {
      text.append("IP truncated");
      return;
    }
    int from = u32(at + IpHeader.SOURCE_OFFSET);
    int to = u32(at + IpHeader.DESTINATION_OFFSET);
    int fragment = u16(at + IpHeader.FRAGMENT_OFFSET);
    int offset = (fragment & IpHeader.IP_OFFSET) << 3;
    int transport = at + (u8(at) & 15) * 4;
    int there = offset == 0 ? end - transport : 0;
    int protocol = u8(at + IpHeader.PROTOCOL_OFFSET);
    switch (protocol) {
      case IpHeader.IPPROTO_TCP -> ports("TCP", from, to, transport, there);
      case IpHeader.IPPROTO_UDP -> ports("UDP", from, to, transport, there);
      case IpHeader.IPPROTO_ICMP -> {
        text.append("ICMP ").address(from).append(" > ").address(to);
        if (there >= 2) {
          text.append(' ').append(IcmpHeader.name(u8(transport), u8(transport + 1)));
        }
      }
      case IpHeader.IPPROTO_IGMP -> text.append("IGMP ").address(from).append(" > ").address(to);
      default ->
          text.append("IP ")
              .address(from)
              .append(" > ")
              .address(to)
              .append(" protocol ")
              .append(protocol);
    }
    if (protocol == IpHeader.IPPROTO_TCP && there >= TcpHeader.FLAGS_OFFSET + 1) {
      flags(u8(transport + TcpHeader.FLAGS_OFFSET));
    }
    if ((fragment & (IpHeader.IP_MF | IpHeader.IP_OFFSET)) != 0) {
      text.append(" frag ").append(offset);
      if ((fragment & IpHeader.IP_MF) != 0) {
        text.append('+');
      }
    }
  }

  private void ports(String name, int from, int to, int transport, int there) {
    text.append(name).append(' ').address(from);
    if (there >= 4) {
      text.append(':').append(u16(transport));
    }
    text.append(" > ").address(to);
    if (there >= 4) {
      text.append(':').append(u16(transport + 2));
    }
  }

  private void flags(int flags) {
    text.append(" [");
    for (int bit = 0; bit < 8; bit++) {
      if ((flags >> bit & 1) != 0) {
        text.append(TCP_FLAGS.charAt(bit));
      }
    }
    text.append(']');
  }
}
