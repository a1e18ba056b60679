// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackHelp;
import io.skbwalk.netfilter.conntrack.ConntrackHelper;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays nf_conntrack_pptp.c: a call that is agreed upon over the control connection of PPTP (RFC
 * 2637) goes over enhanced GRE, whose packets carry their receiver's call id. The client (PNS)
 * opens the connection to the server (PAC); of one connection Linux knows one call, its last.
 */
final class PptpHelper extends ConntrackHelper {
  /** Plays enum pptp_ctrlsess_state, by the kernel's order. */
  private enum Session {
    NONE,
    ERROR,
    STOPREQ,
    REQUESTED,
    CONFIRMED
  }

  /** Plays enum pptp_ctrlcall_state. */
  private enum CallState {
    NONE,
    OUT_REQ,
    OUT_CONF,
    IN_REQ,
    IN_REP,
    IN_CONF,
    CLEAR_REQ
  }

  /** Plays struct nf_ct_pptp_master and struct nf_nat_pptp: what is known of the call. */
  static final class Call extends ConntrackHelp {
    private Session session = Session.NONE;
    private CallState state = CallState.NONE;

    /** The server's call id. */
    int pac;

    /** The client's call id, as the server sees it. */
    int pns;

    /** NAT: the server's call id, as the server says it. */
    int originalPac;

    /** NAT: the client's call id, as the client says it. */
    int originalPns;

    /** The entries of the key map that belong to the call, by direction. */
    private final ConntrackTuple[] keys = new ConntrackTuple[2];

    Call(PptpHelper helper) {
      super(helper);
    }
  }

  private final PptpNat nat;
  private final ConntrackTuple sibling = new ConntrackTuple();

  PptpHelper(Conntrack conntrack) {
    super(conntrack, "pptp", IpHeader.IPPROTO_TCP, new Policy(2, 300));
    nat = new PptpNat(conntrack);
  }

  @Override
  public ConntrackHelp newHelp() {
    return new Call(this);
  }

  @Override
  public int help(Hook hook, SkBuff skb, int offset, int ct, int ctInfo) {
    if (ctInfo != IP_CT_ESTABLISHED && ctInfo != IP_CT_ESTABLISHED_REPLY
        || skb.tail < offset + TcpHeader.MIN_LENGTH) {
      return Verdict.ACCEPT;
    }
    int at = offset + TcpHeader.headerLength(skb, offset);
    if (skb.tail < at + PptpMessage.HEADER_LENGTH
        || skb.u16(at + PptpMessage.TYPE_OFFSET) != PptpMessage.CONTROL
        || skb.u32(at + PptpMessage.COOKIE_OFFSET) != PptpMessage.MAGIC_COOKIE) {
      return Verdict.ACCEPT;
    }
    int message = skb.u16(at + PptpMessage.MESSAGE_OFFSET);
    if (skb.tail < at + PptpMessage.HEADER_LENGTH + PptpMessage.length(message)) {
      return Verdict.ACCEPT;
    }
    Call call = (Call) conntrack.help(ct);
    boolean outbound = ctInfo == IP_CT_ESTABLISHED;
    boolean valid =
        outbound ? outbound(call, skb, at, message) : inbound(hook, call, skb, at, message);
    if (skb.trace != null) {
      step(
          hook,
          skb,
          PptpMessage.name(message)
              + (valid
                  ? ": session " + call.session + ", call " + call.state
                  : " does not fit here: ignored"));
    }
    if (!valid || !nat.isNeeded(ct)) {
      return Verdict.ACCEPT;
    }
    return nat.mangle(hook, skb, offset, at, message, outbound, call)
        ? Verdict.ACCEPT
        : Verdict.DROP;
  }

  /** Plays pptp_outbound_pkt, from the client to the server; false when it does not fit. */
  private static boolean outbound(Call call, SkBuff skb, int at, int message) {
    switch (message) {
      case PptpMessage.START_SESSION_REQUEST:
        if (call.session != Session.NONE) {
          return false;
        }
        call.session = Session.REQUESTED;
        return true;
      case PptpMessage.STOP_SESSION_REQUEST:
        call.session = Session.STOPREQ;
        return true;
      case PptpMessage.OUT_CALL_REQUEST:
        if (call.session != Session.CONFIRMED) {
          return false;
        }
        call.state = CallState.OUT_REQ;
        call.pns = skb.u16(at + PptpMessage.CALL_ID_OFFSET);
        return true;
      case PptpMessage.IN_CALL_REPLY:
        if (call.state != CallState.IN_REQ && call.state != CallState.IN_REP
            || skb.u16(at + PptpMessage.PEERS_CALL_ID_OFFSET) != call.pac) {
          return false;
        }
        if (skb.u8(at + PptpMessage.CALL_RESULT_OFFSET) == PptpMessage.RESULT_OK) {
          call.state = CallState.IN_REP;
          call.pns = skb.u16(at + PptpMessage.CALL_ID_OFFSET);
        } else {
          call.state = CallState.NONE;
        }
        return true;
      case PptpMessage.CALL_CLEAR_REQUEST:
        if (call.session != Session.CONFIRMED) {
          return false;
        }
        call.state = CallState.CLEAR_REQ;
        return true;
      case PptpMessage.SET_LINK_INFO:
      case PptpMessage.ECHO_REQUEST:
      case PptpMessage.ECHO_REPLY:
        return true;
      default:
        return false;
    }
  }

  /** Plays pptp_inbound_pkt, from the server to the client. */
  private boolean inbound(Hook hook, Call call, SkBuff skb, int at, int message) {
    switch (message) {
      case PptpMessage.START_SESSION_REPLY:
        if (call.session.compareTo(Session.REQUESTED) < 0) {
          return false;
        }
        call.session =
            skb.u8(at + PptpMessage.START_RESULT_OFFSET) == PptpMessage.RESULT_OK
                ? Session.CONFIRMED
                : Session.ERROR;
        return true;
      case PptpMessage.STOP_SESSION_REPLY:
        if (call.session.compareTo(Session.STOPREQ) > 0) {
          return false;
        }
        call.session =
            skb.u8(at + PptpMessage.STOP_RESULT_OFFSET) == PptpMessage.RESULT_OK
                ? Session.NONE
                : Session.ERROR;
        return true;
      case PptpMessage.OUT_CALL_REPLY:
        if (call.session != Session.CONFIRMED
            || call.state != CallState.OUT_REQ && call.state != CallState.OUT_CONF
            || skb.u16(at + PptpMessage.PEERS_CALL_ID_OFFSET) != call.pns) {
          return false;
        }
        if (skb.u8(at + PptpMessage.CALL_RESULT_OFFSET) == PptpMessage.RESULT_OK) {
          call.state = CallState.OUT_CONF;
          call.pac = skb.u16(at + PptpMessage.CALL_ID_OFFSET);
          expectGre(hook, skb, call);
        } else {
          call.state = CallState.NONE;
        }
        return true;
      case PptpMessage.IN_CALL_REQUEST:
        if (call.session != Session.CONFIRMED) {
          return false;
        }
        call.state = CallState.IN_REQ;
        call.pac = skb.u16(at + PptpMessage.CALL_ID_OFFSET);
        return true;
      case PptpMessage.IN_CALL_CONNECT:
        if (call.session != Session.CONFIRMED
            || call.state != CallState.IN_REP && call.state != CallState.IN_CONF
            || skb.u16(at + PptpMessage.CALL_ID_OFFSET) != call.pns) {
          return false;
        }
        call.state = CallState.IN_CONF;
        expectGre(hook, skb, call);
        return true;
      case PptpMessage.CALL_DISCONNECT_NOTIFY:
        call.state = CallState.NONE;
        destroy(skb.ct);
        return true;
      case PptpMessage.WAN_ERROR_NOTIFY:
      case PptpMessage.SET_LINK_INFO:
      case PptpMessage.ECHO_REQUEST:
      case PptpMessage.ECHO_REPLY:
        return true;
      default:
        return false;
    }
  }

  // ---- the call ---------------------------------------------------------------------------------

  /** Plays exp_gre: GRE is expected both ways, and the key map tells its call ids. */
  private void expectGre(Hook hook, SkBuff skb, Call call) {
    int ct = skb.ct;
    ConntrackExpect original = expectGre(ct, ORIGINAL, call.pns, call.pac);
    ConntrackExpect reply = expectGre(ct, REPLY, call.pac, call.pns);
    if (nat.isNeeded(ct)) {
      nat.expect(call, original, reply);
    }
    boolean expected = announce(call, original, reply);
    if (skb.trace != null) {
      step(
          hook,
          skb,
          expected
              ? "expecting GRE with call id "
                  + call.pac
                  + " to the server and "
                  + call.pns
                  + " back"
              : "cannot add expectations");
    }
  }

  private ConntrackExpect expectGre(int ct, int direction, int key, int peersKey) {
    ConntrackExpect expect =
        conntrack
            .expect(ct)
            .to(
                conntrack.source(ct, direction),
                conntrack.destination(ct, direction),
                IpHeader.IPPROTO_GRE,
                peersKey)
            .fromPort(key);
    expect.expectFunction = this::expected;
    return expect;
  }

  private boolean announce(Call call, ConntrackExpect original, ConntrackExpect reply) {
    if (conntrack.expectations().related(original) != 0) {
      return false;
    }
    if (conntrack.expectations().related(reply) == 0) {
      if (addKey(call, ORIGINAL, original)) {
        if (addKey(call, REPLY, reply)) {
          return true;
        }
        removeKeys(call);
      }
      conntrack.expectations().remove(reply);
    }
    conntrack.expectations().remove(original);
    return false;
  }

  private boolean addKey(Call call, int direction, ConntrackExpect expect) {
    ConntrackTuple held = conntrack.greKeys().add(call.keys[direction], expect.tuple);
    if (held == null) {
      return false;
    }
    call.keys[direction] = held;
    return true;
  }

  private void removeKeys(Call call) {
    for (int direction = 0; direction < call.keys.length; direction++) {
      conntrack.greKeys().remove(call.keys[direction]);
      call.keys[direction] = null;
    }
  }

  /**
   * Plays pptp_expectfn: the call's packets come, so nobody waits for those of the other direction
   * any more. (The long timeouts that the kernel gives here are overwritten by GRE's own at once.)
   */
  private void expected(int ct, ConntrackExpect expect) {
    if (nat.isNeeded(expect.master)) {
      nat.expected(ct, expect, (Call) conntrack.help(expect.master));
      return;
    }
    sibling.invert(expect.tuple);
    removeExpectation(ct, sibling);
  }

  private void removeExpectation(int ct, ConntrackTuple tuple) {
    ConntrackExpect other = conntrack.expectations().find(tuple, conntrack.zoneId(ct));
    if (other != null) {
      conntrack.expectations().remove(other);
    }
  }

  /** Plays pptp_destroy_siblings: with the call or its control connection its GRE ends. */
  @Override
  public void destroy(int ct) {
    Call call = (Call) conntrack.help(ct);
    removeKeys(call);
    conntrack.tuple(ct, ORIGINAL, sibling);
    destroySibling(ct, call.pns, call.pac);
    conntrack.tuple(ct, REPLY, sibling);
    destroySibling(ct, call.pac, call.pns);
  }

  /** Plays destroy_sibling_or_exp. */
  private void destroySibling(int ct, int key, int peersKey) {
    sibling.protocol = IpHeader.IPPROTO_GRE;
    sibling.sourcePort = key;
    sibling.destinationPort = peersKey;
    int node = conntrack.find(sibling, conntrack.zoneId(ct), conntrack.zoneDirections(ct));
    if (node != 0) {
      conntrack.delete(node >>> 1);
    } else {
      removeExpectation(ct, sibling);
    }
  }
}
