// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackHelper;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import java.nio.charset.StandardCharsets;

/**
 * Plays nf_conntrack_irc.c and nf_nat_irc.c: a client that offers a file or a chat in a private
 * message ({@code PRIVMSG you :\1DCC SEND file ADDRESS PORT SIZE\1}) waits for a connection from
 * anybody there.
 */
final class IrcHelper extends ConntrackHelper {
  /** MAX_SEARCH_SIZE: what lies further back is not looked at. */
  private static final int MAX_SEARCH = 4095;

  /** {@code "PRIVMSG x "}. */
  private static final int SHORTEST_MESSAGE = 10;

  /** From {@code " :\1DCC SEND "} on. */
  private static final int SHORTEST_OFFER = 26;

  /** {@code "AAAAAAAA P\1\n"}. */
  private static final int SHORTEST_ADDRESS = 12;

  private static final byte[] MESSAGE = bytes("PRIVMSG ");
  private static final byte[] TEXT = bytes(" :");
  private static final byte[] DCC = bytes("\1DCC ");
  private static final byte[][] OFFERS = {
    bytes("SEND "), bytes("CHAT "), bytes("MOVE "), bytes("TSEND "), bytes("SCHAT ")
  };

  private final NatHelper nat;
  private final Replacement replacement = new Replacement();

  // What was offered last, and where in the buffer it stands.
  private int address;
  private int port;
  private int from;
  private int length;

  IrcHelper(Conntrack conntrack) {
    super(conntrack, "irc", IpHeader.IPPROTO_TCP, new Policy(8, 300));
    nat = new NatHelper(conntrack);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public int help(Hook hook, SkBuff skb, int offset, int ct, int ctInfo) {
    // Servers offer nothing.
    if (ctInfo != IP_CT_ESTABLISHED || skb.tail < offset + TcpHeader.MIN_LENGTH) {
      return Verdict.ACCEPT;
    }
    int payload = offset + TcpHeader.headerLength(skb, offset);
    int end = Math.min(skb.tail, payload + MAX_SEARCH);
    return payload < end && finds(skb.head, payload, end)
        ? announce(hook, skb, offset, ct)
        : Verdict.ACCEPT;
  }

  /** Is there an offer whose address can be read? Only the first text of a message counts. */
  private boolean finds(byte[] bytes, int payload, int end) {
    int at = payload;
    while (at < end - SHORTEST_MESSAGE
        && (bytes[at] == ' ' || bytes[at] == '\r' || bytes[at] == '\n')) {
      at++;
    }
    if (at < end - SHORTEST_MESSAGE) {
      if (!Payload.startsWithIgnoringCase(bytes, at, end, MESSAGE)) {
        return false;
      }
      at += MESSAGE.length;
    }
    while (at < end - SHORTEST_OFFER) {
      if (!Payload.startsWith(bytes, at, end, TEXT)) {
        at++;
        continue;
      }
      at += TEXT.length;
      if (!Payload.startsWith(bytes, at, end, DCC)) {
        return false;
      }
      at += DCC.length;
      for (byte[] offer : OFFERS) {
        if (Payload.startsWith(bytes, at, end, offer)) {
          return readsAddress(bytes, at + offer.length, end);
        }
      }
    }
    return false;
  }

  /** Plays parse_dcc: a name, an address as one number, a port, somewhere an end of line. */
  private boolean readsAddress(byte[] bytes, int name, int end) {
    int at = name;
    while (bytes[at++] != ' ') {
      if (at > end - SHORTEST_ADDRESS) {
        return false;
      }
    }
    int newline = at;
    while (newline < end && bytes[newline] != '\n') {
      newline++;
    }
    if (newline == end) {
      return false;
    }
    from = at;
    at = Payload.skipDigits(bytes, at, end);
    address = Payload.number(bytes, from, at);
    while (bytes[at] == ' ') {
      at++;
    }
    int digits = at;
    at = Payload.skipDigits(bytes, at, end);
    port = Payload.number(bytes, digits, at) & 0xFFFF;
    length = at - from;
    return true;
  }

  private int announce(Hook hook, SkBuff skb, int offset, int ct) {
    if (address != conntrack.source(ct, ORIGINAL) && address != conntrack.destination(ct, REPLY)
        || port == 0) {
      if (skb.trace != null) {
        step(hook, skb, "forged DCC command: " + Ip4.format(address) + ":" + port);
      }
      return Verdict.ACCEPT;
    }
    ConntrackExpect expect =
        conntrack.expect(ct).to(0, conntrack.destination(ct, REPLY), IpHeader.IPPROTO_TCP, port);
    boolean translates = nat.isNeeded(ct);
    boolean expected;
    if (translates) {
      expect.savedPort = port;
      expect.direction = REPLY;
      expect.expectFunction = nat::followMaster;
      expected = nat.findPort(expect, port) != 0;
    } else {
      expected = conntrack.expectations().related(expect) == 0;
    }
    if (skb.trace != null) {
      step(
          hook,
          skb,
          "DCC offers "
              + Ip4.format(address)
              + ":"
              + port
              + "; "
              + (expected ? expecting(expect, "a connection") : "cannot add expectation"));
    }
    if (!expected) {
      return drop(skb, translates ? "all ports in use" : "cannot add expectation");
    }
    if (!translates) {
      return Verdict.ACCEPT;
    }
    replacement.clear().number(expect.tuple.destination).put(' ');
    replacement.number(expect.tuple.destinationPort);
    if (!nat.mangleTcp(hook, skb, offset, from, length, replacement)) {
      conntrack.expectations().remove(expect);
      return drop(skb, "cannot mangle packet");
    }
    return Verdict.ACCEPT;
  }
}
