// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays nf_conntrack_proto_icmp.c: queries are connections, errors are related to theirs. */
final class IcmpTracker {
  /** NR_ICMP_TYPES: the highest type that Linux knows. */
  private static final int HIGHEST_TYPE = 18;

  private final Conntrack conntrack;
  private final ConntrackTuple inner = new ConntrackTuple();

  IcmpTracker(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** Plays nf_conntrack_icmp_packet. */
  int packet(SkBuff skb) {
    int ct = skb.ct;
    switch (conntrack.icmpType(ct, ConntrackInfo.ORIGINAL)) {
      case IcmpHeader.ECHO:
      case IcmpHeader.TIMESTAMP:
      case IcmpHeader.INFO_REQUEST:
      case IcmpHeader.ADDRESS:
        int[] timeouts = conntrack.timeouts(ct, conntrack.sysctls.icmp);
        conntrack.refresh(ct, skb.ctInfo, skb, timeouts[0]);
        return Verdict.ACCEPT;
      default:
        if (skb.trace != null) {
          conntrack.because(
              "icmp type "
                  + conntrack.icmpType(ct, ConntrackInfo.ORIGINAL)
                  + " answers no known query");
        }
        return -Verdict.ACCEPT;
    }
  }

  /**
   * Plays nf_conntrack_icmpv4_error; false when the message is invalid. For an error about one of
   * our connections the packet belongs to that connection afterwards.
   */
  boolean error(Hook hook, SkBuff skb, int offset, int zone, int directions) {
    if (offset + IcmpHeader.LENGTH > skb.tail) {
      conntrack.logInvalid(skb, IpHeader.IPPROTO_ICMP, "short packet");
      return false;
    }
    if (conntrack.verifies(hook)
        && Conntrack.badChecksum(skb, offset, skb.tail - offset, IpHeader.IPPROTO_ICMP)) {
      conntrack.logInvalid(skb, IpHeader.IPPROTO_ICMP, "bad hw icmp checksum");
      return false;
    }
    int type = skb.u8(offset);
    if (type > HIGHEST_TYPE) {
      conntrack.logInvalid(skb, IpHeader.IPPROTO_ICMP, "invalid icmp type");
      return false;
    }
    switch (type) {
      case IcmpHeader.DEST_UNREACH:
      case IcmpHeader.SOURCE_QUENCH:
      case IcmpHeader.REDIRECT:
      case IcmpHeader.TIME_EXCEEDED:
      case IcmpHeader.PARAMETER_PROBLEM:
        return related(skb, offset + IcmpHeader.LENGTH, zone, directions);
      default:
        return true;
    }
  }

  /** Plays nf_conntrack_inet_error: which of our connections does the quoted packet belong to? */
  private boolean related(SkBuff skb, int quoted, int zone, int directions) {
    if (quoted + IpHeader.MIN_LENGTH > skb.tail) {
      conntrack.because("the quoted header is not whole");
      return false;
    }
    int header = (skb.u8(quoted) & 15) * 4;
    int offset = quoted + header;
    if ((skb.u16(quoted + IpHeader.FRAGMENT_OFFSET) & IpHeader.IP_OFFSET) != 0
        || offset > skb.tail) {
      conntrack.because("the quoted packet is a later fragment or not whole");
      return false;
    }
    if (!ConntrackIn.tupleOf(
            conntrack.greKeys(),
            skb,
            quoted,
            offset,
            skb.u8(quoted + IpHeader.PROTOCOL_OFFSET),
            inner)
        || !inner.invert(inner)) {
      conntrack.because("the quoted packet is of no connection");
      return false;
    }
    int node = conntrack.find(inner, zone, directions);
    if (node == 0) {
      conntrack.because("the quoted packet is of no known connection");
      return false;
    }
    // The quoted packet was sent by whom this error goes to, so its tuple, inverted, is the other
    // direction's: that one's destination must be where the error goes.
    int ct = node >>> 1;
    int destination = conntrack.destination(ct, node & 1);
    if (destination != IpHeader.destination(skb)) {
      if (conntrack.tells(skb, IpHeader.IPPROTO_ICMP)) {
        conntrack.logInvalid(
            skb,
            IpHeader.IPPROTO_ICMP,
            "outer daddr "
                + Ip4.format(IpHeader.destination(skb))
                + " != inner "
                + Ip4.format(destination));
      }
      return false;
    }
    conntrack.set(
        skb,
        ct,
        (node & 1) == ConntrackInfo.REPLY
            ? ConntrackInfo.IP_CT_RELATED_REPLY
            : ConntrackInfo.IP_CT_RELATED);
    return true;
  }
}
