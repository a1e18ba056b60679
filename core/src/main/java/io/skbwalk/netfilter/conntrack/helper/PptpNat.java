// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays nf_nat_pptp.c: two clients behind one address may have the same call id, so the server is
 * told another: the source port that the control connection has been given.
 */
final class PptpNat {
  private static final int NOTHING = -1;

  private final Conntrack conntrack;
  private final NatHelper nat;
  private final Replacement replacement = new Replacement();
  private final ConntrackTuple other = new ConntrackTuple();

  PptpNat(Conntrack conntrack) {
    this.conntrack = conntrack;
    nat = new NatHelper(conntrack);
  }

  boolean isNeeded(int ct) {
    return nat.isNeeded(ct);
  }

  /**
   * Plays pptp_outbound_pkt and pptp_inbound_pkt: the client's call id in a message at {@code at}
   * becomes what its receiver knows.
   */
  boolean mangle(
      Hook hook,
      SkBuff skb,
      int offset,
      int at,
      int message,
      boolean outbound,
      PptpHelper.Call call) {
    int field = outbound ? ofClient(message) : toClient(message);
    if (field == NOTHING) {
      return true;
    }
    if (message == PptpMessage.OUT_CALL_REQUEST) {
      call.originalPns = call.pns;
      call.pns = conntrack.destinationPort(skb.ct, REPLY);
    }
    replacement.clear().word(outbound ? call.pns : call.originalPns);
    return nat.mangleTcp(hook, skb, offset, at + field, 2, replacement);
  }

  /** Where a message of the client says its call id. */
  private static int ofClient(int message) {
    switch (message) {
      case PptpMessage.OUT_CALL_REQUEST:
      case PptpMessage.IN_CALL_REPLY:
      case PptpMessage.CALL_CLEAR_REQUEST:
        return PptpMessage.CALL_ID_OFFSET;
      default:
        return NOTHING;
    }
  }

  /** Where a message of the server says the client's call id, or in the kernel's view does. */
  private static int toClient(int message) {
    switch (message) {
      case PptpMessage.OUT_CALL_REPLY:
        return PptpMessage.PEERS_CALL_ID_OFFSET;
      case PptpMessage.IN_CALL_CONNECT:
      case PptpMessage.WAN_ERROR_NOTIFY:
      case PptpMessage.CALL_DISCONNECT_NOTIFY:
      case PptpMessage.SET_LINK_INFO:
        return PptpMessage.CALL_ID_OFFSET;
      default:
        return NOTHING;
    }
  }

  /** Plays pptp_exp_gre: each side's packets are expected with the ids that it knows. */
  void expect(PptpHelper.Call call, ConntrackExpect original, ConntrackExpect reply) {
    call.originalPac = call.pac;
    original.savedPort = call.pns;
    original.tuple.sourcePort = call.originalPns;
    original.tuple.destinationPort = call.pac;
    original.direction = ORIGINAL;
    reply.savedPort = call.originalPns;
    reply.tuple.sourcePort = call.originalPac;
    reply.tuple.destinationPort = call.pns;
    reply.direction = REPLY;
  }

  /** Plays pptp_nat_expected: GRE goes where the control connection goes, with its own ids. */
  void expected(int ct, ConntrackExpect expect, PptpHelper.Call call) {
    int master = expect.master;
    int back = 1 - expect.direction;
    boolean fromClient = expect.direction == ORIGINAL;
    other.protocol = IpHeader.IPPROTO_GRE;
    other.source = conntrack.source(master, back);
    other.destination = conntrack.destination(master, back);
    // From the server Linux asks the new connection for the ids, which knows none yet, so that
    // the client's packets stay expected.
    other.sourcePort = fromClient ? call.pac : 0;
    other.destinationPort = fromClient ? call.pns : 0;
    ConntrackExpect otherWay = conntrack.expectations().find(other, conntrack.zoneId(ct));
    if (otherWay != null) {
      conntrack.expectations().remove(otherWay);
    }
    if (fromClient) {
      conntrack.nat().setup(ct, false, other.destination, expect.savedPort, expect.savedPort);
      conntrack.nat().setup(ct, true, other.source);
    } else {
      conntrack.nat().setup(ct, false, other.destination);
      conntrack.nat().setup(ct, true, other.source, expect.savedPort, expect.savedPort);
    }
  }
}
