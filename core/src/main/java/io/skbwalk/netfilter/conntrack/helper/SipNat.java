// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackExpectations;
import io.skbwalk.netfilter.conntrack.ConntrackHelp;
import io.skbwalk.netfilter.conntrack.NfNatHook;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.UdpHeader;

/**
 * Plays nf_nat_sip.c: in a translated connection each side's messages shall name the addresses that
 * the other side knows.
 */
final class SipNat {
  private static final byte[] RESPONSE = SipMessage.bytes("SIP/2.0");
  private static final byte[] MADDR = SipMessage.bytes("maddr=");
  private static final byte[] RECEIVED = SipMessage.bytes("received=");
  private static final byte[] RPORT = SipMessage.bytes("rport=");
  private static final int MIN_PORT = 1024;

  private final Conntrack conntrack;
  private final NatHelper nat;
  private final Replacement replacement = new Replacement();

  SipNat(Conntrack conntrack) {
    this.conntrack = conntrack;
    nat = new NatHelper(conntrack);
  }

  boolean isNeeded(int ct) {
    return nat.isNeeded(ct);
  }

  // ---- writing ----------------------------------------------------------------------------------

  /** Plays mangle_packet: what was found last becomes {@link #replacement}. */
  private boolean replaces(SipMessage message) {
    return replaces(message, message.from, message.to);
  }

  private boolean replaces(SipMessage message, int from, int to) {
    int length = to - from;
    boolean done =
        conntrack.protocol(message.ct) == IpHeader.IPPROTO_TCP
            ? nat.mangleUnadjusted(
                message.hook, message.skb, message.transport, from, length, replacement)
            : nat.mangleUdp(
                message.hook, message.skb, message.transport, from, length, replacement);
    if (done) {
      message.end += replacement.length - length;
    }
    return done;
  }

  private void write(int address, int port) {
    replacement.clear().address(address, '.').put(':').number(port);
  }

  /**
   * Plays map_addr: an address and port of this connection, found last, become what the other side
   * knows them as; others stay.
   */
  private boolean maps(SipMessage message, SipHelper.Session session) {
    int ct = message.ct;
    int near = message.direction;
    int far = 1 - near;
    int address;
    int port;
    if (message.address == conntrack.source(ct, near)
        && message.port == conntrack.sourcePort(ct, near)) {
      address = conntrack.destination(ct, far);
      port = conntrack.destinationPort(ct, far);
    } else if (message.address == conntrack.destination(ct, near)
        && message.port == conntrack.destinationPort(ct, near)) {
      address = conntrack.source(ct, far);
      port = session.forcedPort != 0 ? session.forcedPort : conntrack.sourcePort(ct, far);
    } else {
      return true;
    }
    if (address == message.address && port == message.port) {
      return true;
    }
    write(address, port);
    return replaces(message);
  }

  // ---- a message --------------------------------------------------------------------------------

  /** Plays nf_nat_sip: translates the headers; false when the packet cannot be changed. */
  boolean translates(SipMessage message, SipHelper.Session session) {
    boolean request = !message.startsWith(message.start, RESPONSE);
    if (request && message.findsRequestUri() && !maps(message, session)) {
      return false;
    }
    if (!translatesVia(message, session, request)) {
      return false;
    }
    int at;
    for (boolean found = message.findsAddress(SipHeader.CONTACT);
        found;
        found = message.findsNextAddress(SipHeader.CONTACT, at)) {
      int before = message.end;
      at = message.to;
      if (!maps(message, session)) {
        return false;
      }
      at += message.end - before;
    }
    return mapsHeader(message, session, SipHeader.FROM)
        && mapsHeader(message, session, SipHeader.TO)
        && forcesPort(message, session);
  }

  private boolean mapsHeader(SipMessage message, SipHelper.Session session, SipHeader header) {
    return !message.findsAddress(header) || maps(message, session);
  }

  /** The topmost Via says where the answer shall go, and how it was seen on the way. */
  private boolean translatesVia(SipMessage message, SipHelper.Session session, boolean request) {
    int ct = message.ct;
    int near = message.direction;
    int far = 1 - near;
    boolean tcp = conntrack.protocol(ct) == IpHeader.IPPROTO_TCP;
    if (!message.findsAddress(tcp ? SipHeader.VIA_TCP : SipHeader.VIA_UDP)) {
      return true;
    }
    int address = request ? conntrack.source(ct, near) : conntrack.destination(ct, near);
    int port = request ? conntrack.sourcePort(ct, near) : conntrack.destinationPort(ct, near);
    if (message.address != address || message.port != port) {
      return true; // another hop's
    }
    int before = message.end;
    int behind = message.to;
    if (!maps(message, session)) {
      return false;
    }
    behind += message.end - before;
    return translatesParameter(
            message, behind, MADDR, conntrack.source(ct, near), conntrack.destination(ct, far))
        && translatesParameter(
            message, behind, RECEIVED, conntrack.destination(ct, near), conntrack.source(ct, far))
        && translatesReturnPort(message, behind);
  }

  private boolean translatesParameter(
      SipMessage message, int at, byte[] name, int address, int translated) {
    if (!message.findsAddressParameter(at, name)
        || message.address != address
        || address == translated) {
      return true;
    }
    replacement.clear().address(translated, '.');
    return replaces(message);
  }

  /** RFC 3581: the port that the request was seen to come from. */
  private boolean translatesReturnPort(SipMessage message, int at) {
    int port = conntrack.destinationPort(message.ct, message.direction);
    int translated = conntrack.sourcePort(message.ct, 1 - message.direction);
    long number = message.numberParameter(at, RPORT);
    if (number < MIN_PORT || number != port || port == translated) {
      return true;
    }
    replacement.clear().number(translated);
    return replaces(message);
  }

  /** An answer goes to where the request's Via said, not to where the request came from. */
  private boolean forcesPort(SipMessage message, SipHelper.Session session) {
    if (message.direction != REPLY || session.forcedPort == 0) {
      return true;
    }
    if (conntrack.protocol(message.ct) != IpHeader.IPPROTO_UDP) {
      return false;
    }
    message.skb.setU16(message.transport + UdpHeader.DESTINATION_OFFSET, session.forcedPort);
    replacement.clear();
    int payload = message.transport + UdpHeader.LENGTH;
    return nat.mangleUdp(message.hook, message.skb, message.transport, payload, 0, replacement);
  }

  /** Plays nf_nat_sip_seq_adjust: what all of a segment's messages have grown by. */
  void shift(SipMessage message, int growth) {
    nat.shift(message.skb, message.transport, growth);
  }

  // ---- signalling -------------------------------------------------------------------------------

  /**
   * Plays nf_nat_sip_expect: announces a client's signalling at an address that the registrar can
   * reach, and writes that into the Contact that was found last.
   */
  boolean expects(SipMessage message, SipHelper.Session session, ConntrackExpect expect) {
    int ct = message.ct;
    int near = message.direction;
    int far = 1 - near;
    int from = message.from;
    int to = message.to;
    int source = session.forcedPort != 0 ? session.forcedPort : conntrack.sourcePort(ct, near);
    int port = expect.tuple.destinationPort;
    save(expect, far);
    if (conntrack.source(ct, near) != conntrack.destination(ct, far)) {
      expect.tuple.destination = conntrack.destination(ct, far);
    }
    if (nat.findPort(expect, port == source ? conntrack.destinationPort(ct, far) : port) == 0) {
      return false;
    }
    if (isAsSaved(expect)) {
      return true;
    }
    write(expect.tuple.destination, expect.tuple.destinationPort);
    if (replaces(message, from, to)) {
      return true;
    }
    conntrack.expectations().remove(expect);
    return false;
  }

  private void save(ConntrackExpect expect, int direction) {
    expect.savedAddress = expect.tuple.destination;
    expect.savedPort = expect.tuple.destinationPort;
    expect.direction = direction;
    expect.expectFunction = this::expected;
  }

  private static boolean isAsSaved(ConntrackExpect expect) {
    return expect.tuple.destination == expect.savedAddress
        && expect.tuple.destinationPort == expect.savedPort;
  }

  /**
   * Plays nf_nat_sip_expected: the connection goes to what was announced. Media comes from where
   * its sender announced its own; what comes from the master's peer comes from where that is seen.
   */
  private void expected(int ct, ConntrackExpect expect) {
    NfNatHook hook = conntrack.nat();
    hook.setup(ct, true, expect.savedAddress, expect.savedPort, expect.savedPort);
    int source = conntrack.source(ct, ORIGINAL);
    if (expect.expectClass != SipHelper.SIGNALLING) {
      int port = conntrack.sourcePort(ct, ORIGINAL);
      ConntrackExpect pair = conntrack.help(expect.master).newest();
      for (; pair != null; pair = ConntrackHelp.older(pair)) {
        if (pair.tuple.protocol == conntrack.protocol(ct)
            && pair.savedAddress == source
            && pair.savedPort == port) {
          int outside = pair.tuple.destinationPort;
          hook.setup(ct, false, pair.tuple.destination, outside, outside);
          return;
        }
      }
    }
    if (source == conntrack.source(expect.master, expect.direction)) {
      hook.setup(ct, false, conntrack.destination(expect.master, 1 - expect.direction));
    }
  }

  // ---- the session description ------------------------------------------------------------------

  /**
   * Plays nf_nat_sdp_media: announces RTP and RTCP at a pair of ports that is free outside, and
   * writes its port between {@code from} and {@code to}.
   *
   * @return false when that fails; else the address is {@code rtp.tuple.destination}
   */
  boolean expectsMedia(
      SipMessage message, ConntrackExpect rtp, ConntrackExpect rtcp, int from, int to) {
    int far = 1 - message.direction;
    int address =
        conntrack.source(message.ct, message.direction) == conntrack.destination(message.ct, far)
            ? rtp.tuple.destination
            : conntrack.destination(message.ct, far);
    save(rtp, far);
    save(rtcp, far);
    rtp.tuple.destination = address;
    rtcp.tuple.destination = address;
    if (!findsPorts(rtp, rtcp)) {
      return false;
    }
    int port = rtp.tuple.destinationPort;
    if (port == rtp.savedPort || writesPort(message, from, to, port)) {
      return true;
    }
    conntrack.expectations().remove(rtp);
    conntrack.expectations().remove(rtcp);
    return false;
  }

  private boolean findsPorts(ConntrackExpect rtp, ConntrackExpect rtcp) {
    for (int port = rtp.tuple.destinationPort; port != 0; port = port + 2 & 0xFFFF) {
      rtp.tuple.destinationPort = port;
      int error = conntrack.expectations().related(rtp, true);
      if (error == 0) {
        rtcp.tuple.destinationPort = port + 1;
        error = conntrack.expectations().related(rtcp, true);
        if (error == 0) {
          return true;
        }
        conntrack.expectations().remove(rtp);
      }
      if (error != ConntrackExpectations.EBUSY) {
        return false;
      }
    }
    return false;
  }

  /** Plays nf_nat_sdp_port. */
  boolean writesPort(SipMessage message, int from, int to, int port) {
    replacement.clear().number(port);
    return replaces(message, from, to) && correctsLength(message);
  }

  /** Plays nf_nat_sdp_addr: the address of one medium. */
  boolean writesAddress(SipMessage message, int medium, int address) {
    replacement.clear().address(address, '.');
    return message.finds(SdpLine.CONNECTION, medium, SdpLine.MEDIA)
        && replaces(message)
        && correctsLength(message);
  }

  /** Plays nf_nat_sdp_session: the addresses of the whole session, of which one may be missing. */
  boolean writesSession(SipMessage message, int session, int address) {
    replacement.clear().address(address, '.');
    if (!message.finds(SdpLine.OWNER, session, SdpLine.MEDIA) || !replaces(message)) {
      return false;
    }
    if (message.finds(SdpLine.CONNECTION, session, SdpLine.MEDIA) && !replaces(message)) {
      return false;
    }
    return correctsLength(message);
  }

  /** Plays mangle_content_len. */
  private boolean correctsLength(SipMessage message) {
    if (!message.finds(SdpLine.VERSION, message.start, null)) {
      return false;
    }
    int length = message.end - message.from + 2;
    if (!message.finds(SipHeader.CONTENT_LENGTH)) {
      return false;
    }
    replacement.clear().number(length);
    return replaces(message);
  }
}
