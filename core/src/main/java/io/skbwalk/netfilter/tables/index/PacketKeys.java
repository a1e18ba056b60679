// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_IS_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_UNTRACKED;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;

/** The keys of the packet at hand, as far as the rules of one table ask for them. */
public final class PacketKeys {
  /** {@link PacketKey#STATE}: no connection. */
  public static final int INVALID = 1;

  /** {@link PacketKey#STATE}: a connection's first packet, or it has seen no answer yet. */
  public static final int NEW = 1 << 1;

  /** {@link PacketKey#STATE}: about another connection. */
  public static final int RELATED = 1 << 2;

  /** {@link PacketKey#STATE}: of a connection that goes both ways. */
  public static final int ESTABLISHED = 1 << 3;

  /** {@link PacketKey#STATE}: deliberately not tracked. */
  public static final int UNTRACKED = 1 << 4;

  /** {@link PacketKey#STATE}, besides another: its connection's source is translated. */
  public static final int SNAT = 1 << 5;

  /** {@link PacketKey#STATE}, besides another: its connection's destination is translated. */
  public static final int DNAT = 1 << 6;

  /** By ctInfo without its direction. */
  private static final int[] OF_INFO = {ESTABLISHED, RELATED, NEW};

  /** The keys that some matches read behind a transport header that must be there. */
  static final int TRANSPORT =
      PacketKey.SOURCE_PORT.bit
          | PacketKey.DESTINATION_PORT.bit
          | PacketKey.TCP_FLAGS.bit
          | PacketKey.ICMP_TYPE.bit;

  private static final int PORTS = PacketKey.SOURCE_PORT.bit | PacketKey.DESTINATION_PORT.bit;

  /** What a packet must have behind its IP header before the port matches look at it. */
  private static final int SCTP_LENGTH = 12;

  private static final int DCCP_LENGTH = 12;

  /** Source address. */
  public int source;

  /** Destination address. */
  public int destination;

  /** Source port; of a packet that has none, whatever was read last. */
  public int sourcePort;

  /** Destination port, likewise. */
  public int destinationPort;

  /** By {@link PacketKey}, where {@link #known}. */
  final int[] values = new int[PacketKey.values().length];

  /** The keys that the packet has: bits. */
  int known;

  private final int asked;
  private boolean changed;

  /** Reads {@code asked}, bits. */
  PacketKeys(int asked) {
    this.asked = asked;
  }

  /** Plays xt_state and the first half of xt_conntrack: {@link PacketKey#STATE}'s bits. */
  public static int state(SkBuff skb, Conntrack conntrack) {
    if (skb.ct == 0) {
      return skb.ctInfo == IP_CT_UNTRACKED ? UNTRACKED : INVALID;
    }
    int status = conntrack.status(skb.ct);
    return OF_INFO[skb.ctInfo % IP_CT_IS_REPLY]
        | ((status & ConntrackStatus.IPS_SRC_NAT) != 0 ? SNAT : 0)
        | ((status & ConntrackStatus.IPS_DST_NAT) != 0 ? DNAT : 0);
  }

  /** The protocol that a rule must ask for before it may ask for {@code key}; 0 for one of some. */
  static boolean mayAsk(PacketKey key, int protocol) {
    return switch (key) {
      case SOURCE_PORT, DESTINATION_PORT -> hasPorts(protocol);
      case TCP_FLAGS -> protocol == IpHeader.IPPROTO_TCP;
      case ICMP_TYPE -> protocol == IpHeader.IPPROTO_ICMP;
      default -> true;
    };
  }

  private static boolean hasPorts(int protocol) {
    return switch (protocol) {
      case IpHeader.IPPROTO_TCP,
          IpHeader.IPPROTO_UDP,
          IpHeader.IPPROTO_UDPLITE,
          IpHeader.IPPROTO_SCTP,
          IpHeader.IPPROTO_DCCP ->
          true;
      default -> false;
    };
  }

  /** How much of the transport header each match of the protocol finds enough, bytes. */
  private static int needed(int protocol) {
    return switch (protocol) {
      case IpHeader.IPPROTO_TCP -> TcpHeader.MIN_LENGTH;
      case IpHeader.IPPROTO_UDP, IpHeader.IPPROTO_UDPLITE -> UdpHeader.LENGTH;
      case IpHeader.IPPROTO_SCTP -> SCTP_LENGTH;
      case IpHeader.IPPROTO_DCCP -> DCCP_LENGTH;
      case IpHeader.IPPROTO_ICMP -> IcmpHeader.LENGTH;
      default -> 0;
    };
  }

  /**
   * May the index judge it? Not one that a match may drop because of its transport header: a
   * truncated one, or a fragment that would overwrite the header's end.
   */
  static boolean isPlain(SkBuff skb, PacketContext context) {
    int fragment = context.fragmentOffset;
    return fragment == 0
        ? skb.tail - context.transport < needed(IpHeader.protocol(skb))
        : fragment == 1;
  }

  /** Reads the packet's keys; true when any is another than before. */
  boolean read(SkBuff skb, PacketContext context) {
    changed = false;
    int before = known;
    source = IpHeader.source(skb);
    destination = IpHeader.destination(skb);
    int protocol = IpHeader.protocol(skb);
    known = asked & ~TRANSPORT;
    set(PacketKey.SOURCE, source);
    set(PacketKey.DESTINATION, destination);
    set(PacketKey.PROTOCOL, protocol);
    set(PacketKey.FRAGMENT, context.fragmentOffset == 0 ? 0 : 1);
    if ((asked & TRANSPORT) != 0 && context.fragmentOffset == 0) {
      readTransport(skb, context.transport, protocol);
    }
    if ((asked & PacketKey.STATE.bit) != 0) {
      set(PacketKey.STATE, state(skb, context.environment.conntrack()));
    }
    set(PacketKey.MARK, skb.mark);
    if ((asked & PacketKey.CONNMARK.bit) != 0) {
      if (skb.ct == 0) {
        known &= ~PacketKey.CONNMARK.bit;
      } else {
        set(PacketKey.CONNMARK, context.environment.conntrack().mark(skb.ct));
      }
    }
    if ((asked & (PacketKey.LENGTH.bit | PacketKey.TTL.bit | PacketKey.TOS.bit)) != 0) {
      set(PacketKey.LENGTH, IpHeader.totalLength(skb));
      set(PacketKey.TTL, IpHeader.ttl(skb));
      set(PacketKey.TOS, IpHeader.tos(skb));
    }
    return changed || known != before;
  }

  private void readTransport(SkBuff skb, int transport, int protocol) {
    if (hasPorts(protocol)) {
      sourcePort = skb.u16(transport);
      destinationPort = skb.u16(transport + 2);
      known |= asked & PORTS;
      set(PacketKey.SOURCE_PORT, sourcePort);
      set(PacketKey.DESTINATION_PORT, destinationPort);
      if (protocol == IpHeader.IPPROTO_TCP) {
        known |= asked & PacketKey.TCP_FLAGS.bit;
        set(PacketKey.TCP_FLAGS, TcpHeader.flags(skb, transport));
      }
    } else if (protocol == IpHeader.IPPROTO_ICMP) {
      known |= asked & PacketKey.ICMP_TYPE.bit;
      set(PacketKey.ICMP_TYPE, skb.u8(transport));
    }
  }

  private void set(PacketKey key, int value) {
    if ((asked & key.bit) != 0) {
      int at = key.ordinal();
      changed |= values[at] != value;
      values[at] = value;
    }
  }
}
