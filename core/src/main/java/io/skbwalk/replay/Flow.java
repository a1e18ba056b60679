// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.IpHeader;

/**
 * A conversation: the two ends of a connection before any translation or, where nothing is tracked,
 * those of the packet on the wire, the same for both directions.
 *
 * @param ports of both ends, that of {@code low} first; of ICMP echo its identifier; else 0
 */
public record Flow(int protocol, int low, int high, int ports) {
  /** Of connection {@code ct}. */
  static Flow of(Conntrack conntrack, int ct) {
    ConntrackTuple tuple = new ConntrackTuple();
    conntrack.tuple(ct, ConntrackInfo.ORIGINAL, tuple);
    boolean echo = tuple.protocol == IpHeader.IPPROTO_ICMP;
    return of(
        tuple.protocol,
        tuple.source,
        tuple.sourcePort,
        tuple.destination,
        echo ? tuple.sourcePort : tuple.destinationPort);
  }

  /** Of an IP packet on the wire. */
  static Flow of(ArrivedFrame frame) {
    int protocol = frame.protocol();
    int from = 0;
    int to = 0;
    if (protocol == IpHeader.IPPROTO_ICMP) {
      int at = frame.transport(6);
      from = at < 0 ? 0 : frame.u16(at + 4);
      to = from;
    } else if (PacketEnd.hasPorts(protocol)) {
      int at = frame.transport(4);
      from = at < 0 ? 0 : frame.u16(at);
      to = at < 0 ? 0 : frame.u16(at + 2);
    }
    return of(protocol, frame.source, from, frame.destination(), to);
  }

  private static Flow of(int protocol, int source, int from, int destination, int to) {
    int order = Integer.compareUnsigned(source, destination);
    return order < 0 || order == 0 && from <= to
        ? new Flow(protocol, source, destination, from << 16 | to)
        : new Flow(protocol, destination, source, to << 16 | from);
  }
}
