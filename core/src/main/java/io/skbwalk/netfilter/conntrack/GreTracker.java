// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEEN_REPLY;

import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.SkBuff;

/**
 * Plays nf_conntrack_proto_gre.c: GRE (RFC 2784) by addresses, enhanced GRE (RFC 2637) by its call
 * id, and by the other side's where {@link GreKeymap} knows it.
 */
final class GreTracker {
  private static final int VERSION_MASK = 7;
  private static final int PPP = 0x880B;
  private static final int TIMEOUT = ConntrackMemory.PROTOCOL_WORDS;
  private static final int STREAM_TIMEOUT = ConntrackMemory.PROTOCOL_WORDS + 1;

  private final Conntrack conntrack;

  GreTracker(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /** Plays gre_pkt_to_tuple. */
  static boolean tuple(GreKeymap keys, SkBuff skb, int offset, ConntrackTuple tuple) {
    tuple.sourcePort = 0;
    tuple.destinationPort = 0;
    if (offset + 4 > skb.tail || (skb.u16(offset) & VERSION_MASK) != 1 || offset + 8 > skb.tail) {
      return true;
    }
    if (skb.u16(offset + 2) != PPP) {
      return false;
    }
    tuple.destinationPort = skb.u16(offset + 6);
    tuple.sourcePort = keys.sourceKey(tuple);
    return true;
  }

  /** Plays nf_conntrack_gre_packet. */
  int packet(SkBuff skb) {
    int ct = skb.ct;
    int status = conntrack.status(ct);
    if ((status & IPS_CONFIRMED) == 0) {
      int[] timeouts = conntrack.timeouts(ct, conntrack.sysctls.gre);
      conntrack.memory.set(ct, TIMEOUT, timeouts[0]);
      conntrack.memory.set(ct, STREAM_TIMEOUT, timeouts[1]);
    }
    if ((status & IPS_SEEN_REPLY) != 0) {
      conntrack.refresh(ct, skb.ctInfo, skb, conntrack.memory.get(ct, STREAM_TIMEOUT));
      if ((status & IPS_ASSURED) == 0) {
        conntrack.addStatus(ct, IPS_ASSURED);
        conntrack.cacheEvent(ct, ConntrackEvents.ASSURED);
      }
    } else {
      conntrack.refresh(ct, skb.ctInfo, skb, conntrack.memory.get(ct, TIMEOUT));
    }
    return Verdict.ACCEPT;
  }
}
