// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.nat;

import io.skbwalk.lib.Checksum;
import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;
import java.util.zip.CRC32C;

/**
 * Plays nf_nat_proto.c: writes addresses and ports into a packet and keeps its checksums as right
 * or wrong as they were (RFC 1624), SCTP's excepted, which is computed anew.
 *
 * <p>Offsets are from the start of the buffer.
 */
final class NatProtocols {
  private static final int IPPROTO_GRE = 47;
  private static final int IPPROTO_SCTP = 132;
  private static final int IPPROTO_UDPLITE = 136;

  /** What conntrack guarantees of a TCP or SCTP header, and an ICMP error of the quoted one. */
  private static final int QUOTED_LENGTH = 8;

  private static final int SCTP_LENGTH = 12;
  private static final int SCTP_CHECKSUM_OFFSET = 8;
  private static final int GRE_LENGTH = 8;
  private static final int GRE_VERSION = 7;
  private static final int GRE_CALL_ID_OFFSET = 6;

  /** CSUM_MANGLED_0: a UDP checksum of 0 would say that there is none. */
  private static final int MANGLED_0 = 0xFFFF;

  private final CRC32C crc = new CRC32C();

  /**
   * Plays nf_nat_ipv4_manip_pkt: gives the packet at {@code ip} the source or destination of {@code
   * target}.
   *
   * @param quoted the packet is the one that an ICMP error quotes
   * @return false when it is too short; the caller drops it
   */
  boolean mangle(SkBuff skb, int ip, ConntrackTuple target, boolean destination, boolean quoted) {
    if (skb.tail < ip + IpHeader.MIN_LENGTH) {
      return false;
    }
    int transport = ip + (skb.u8(ip) & 15) * 4;
    int field = destination ? IpHeader.DESTINATION_OFFSET : IpHeader.SOURCE_OFFSET;
    int before = skb.u32(ip + field);
    int address = destination ? target.destination : target.source;
    int portBefore = skb.trace == null ? 0 : port(skb, transport, target.protocol, destination);
    if (!mangleTransport(skb, transport, target, destination, before, address)) {
      return false;
    }
    skb.setU16(
        ip + IpHeader.CHECKSUM_OFFSET,
        Checksum.replace32(skb.u16(ip + IpHeader.CHECKSUM_OFFSET), before, address));
    skb.setU32(ip + field, address);
    if (skb.trace != null) {
      int portAfter = port(skb, transport, target.protocol, destination);
      tell(skb, target.protocol, destination, quoted, before, portBefore, address, portAfter);
    }
    return true;
  }

  /** Plays l4proto_manip_pkt. */
  private boolean mangleTransport(
      SkBuff skb, int at, ConntrackTuple target, boolean destination, int before, int after) {
    int port = destination ? target.destinationPort : target.sourcePort;
    int field = at + (destination ? TcpHeader.DESTINATION_OFFSET : TcpHeader.SOURCE_OFFSET);
    switch (target.protocol) {
      case IpHeader.IPPROTO_TCP:
        if (skb.tail < at + QUOTED_LENGTH) {
          return false;
        }
        if (skb.tail >= at + TcpHeader.MIN_LENGTH) {
          int check = at + TcpHeader.CHECKSUM_OFFSET;
          skb.setU16(check, replace(skb.u16(check), before, after, skb.u16(field), port));
        }
        skb.setU16(field, port);
        return true;
      case IpHeader.IPPROTO_UDP:
      case IPPROTO_UDPLITE:
        if (skb.tail < at + UdpHeader.LENGTH) {
          return false;
        }
        int check = at + UdpHeader.CHECKSUM_OFFSET;
        if (skb.u16(check) != 0 || target.protocol == IPPROTO_UDPLITE) {
          int sum = replace(skb.u16(check), before, after, skb.u16(field), port);
          skb.setU16(check, sum == 0 ? MANGLED_0 : sum);
        }
        skb.setU16(field, port);
        return true;
      case IPPROTO_SCTP:
        if (skb.tail < at + QUOTED_LENGTH) {
          return false;
        }
        skb.setU16(field, port);
        if (skb.tail >= at + SCTP_LENGTH) {
          signSctp(skb, at);
        }
        return true;
      case IpHeader.IPPROTO_ICMP:
        return mangleIcmp(skb, at, target.sourcePort);
      case IPPROTO_GRE:
        return mangleGre(skb, at, target, destination);
      default:
        return true;
    }
  }

  /** The checksum after an address and a port changed; both steps even when one did not. */
  private static int replace(int checksum, int before, int after, int portBefore, int portAfter) {
    // The kernel hands ports to the 32-bit replacement; only then 0 comes out as 0 always.
    return Checksum.replace32(Checksum.replace32(checksum, before, after), portBefore, portAfter);
  }

  /** Plays sctp_compute_cksum (RFC 9260, appendix A). */
  private void signSctp(SkBuff skb, int at) {
    int field = at + SCTP_CHECKSUM_OFFSET;
    skb.setU32(field, 0);
    crc.reset();
    crc.update(skb.head, at, skb.tail - at);
    skb.setU32(field, Integer.reverseBytes((int) crc.getValue()));
    skb.ipSummed = SkBuff.CHECKSUM_NONE;
  }

  /** Plays icmp_manip_pkt: queries have an identifier, errors do not. */
  private static boolean mangleIcmp(SkBuff skb, int at, int id) {
    if (skb.tail < at + IcmpHeader.LENGTH) {
      return false;
    }
    if (isQuery(skb.u8(at))) {
      int field = at + IcmpHeader.ID_OFFSET;
      int check = at + IcmpHeader.CHECKSUM_OFFSET;
      skb.setU16(check, Checksum.replace32(skb.u16(check), skb.u16(field), id));
      skb.setU16(field, id);
    }
    return true;
  }

  private static boolean isQuery(int type) {
    switch (type) {
      case IcmpHeader.ECHO:
      case IcmpHeader.ECHO_REPLY:
      case IcmpHeader.TIMESTAMP:
      case IcmpHeader.TIMESTAMP_REPLY:
      case IcmpHeader.INFO_REQUEST:
      case IcmpHeader.INFO_REPLY:
      case IcmpHeader.ADDRESS:
      case IcmpHeader.ADDRESS_REPLY:
        return true;
      default:
        return false;
    }
  }

  /** Plays gre_manip_pkt: PPTP's call has a number at its destination only (RFC 2637). */
  private static boolean mangleGre(SkBuff skb, int at, ConntrackTuple target, boolean destination) {
    if (skb.tail < at + GRE_LENGTH) {
      return false;
    }
    if (destination) {
      switch (skb.u16(at) & GRE_VERSION) {
        case 0:
          break;
        case 1:
          skb.setU16(at + GRE_CALL_ID_OFFSET, target.destinationPort);
          break;
        default:
          return false;
      }
    }
    return true;
  }

  // ---- for people -------------------------------------------------------------------------------

  /** Port, or identifier of an ICMP query; -1 when there is none or it is not there. */
  private static int port(SkBuff skb, int at, int protocol, boolean destination) {
    switch (protocol) {
      case IpHeader.IPPROTO_TCP:
      case IpHeader.IPPROTO_UDP:
      case IPPROTO_UDPLITE:
      case IPPROTO_SCTP:
        return skb.tail < at + 4 ? -1 : skb.u16(destination ? at + 2 : at);
      case IpHeader.IPPROTO_ICMP:
        return skb.tail < at + IcmpHeader.LENGTH || !isQuery(skb.u8(at))
            ? -1
            : skb.u16(at + IcmpHeader.ID_OFFSET);
      default:
        return -1;
    }
  }

  private static void tell(
      SkBuff skb,
      int protocol,
      boolean destination,
      boolean quoted,
      int before,
      int portBefore,
      int after,
      int portAfter) {
    String prefix = quoted ? "quoted " : "";
    boolean icmp = protocol == IpHeader.IPPROTO_ICMP;
    if (before != after || !icmp && portBefore != portAfter) {
      skb.trace.on(
          new TraceEvent.Changed(
              prefix + (destination ? "destination" : "source"),
              endpoint(before, icmp ? -1 : portBefore),
              endpoint(after, icmp ? -1 : portAfter)));
    }
    if (icmp && portBefore != portAfter) {
      skb.trace.on(
          new TraceEvent.Changed(
              prefix + "icmp id", Integer.toString(portBefore), Integer.toString(portAfter)));
    }
  }

  private static String endpoint(int address, int port) {
    return port < 0 ? Ip4.format(address) : Ip4.format(address) + ":" + port;
  }
}
