// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackExpectations;
import io.skbwalk.netfilter.conntrack.ConntrackTuple;
import io.skbwalk.skb.IpHeader;

/**
 * Plays process_sdp and set_expected_rtp_rtcp of nf_conntrack_sip.c: a session description (RFC
 * 4566) announces where its sender wants to hear RTP, and with it RTCP at the port above.
 */
final class SipMedia {
  private static final int MIN_PORT = 1024;

  /** The kinds of media; their place from 1 is their class of expectations. */
  private static final byte[][] KINDS = {
    SipMessage.bytes("audio "), SipMessage.bytes("video "), SipMessage.bytes("image ")
  };

  private final SipHelper helper;
  private final Conntrack conntrack;
  private final SipNat nat;
  private final ConntrackTuple wanted = new ConntrackTuple();

  SipMedia(SipHelper helper, Conntrack conntrack, SipNat nat) {
    this.helper = helper;
    this.conntrack = conntrack;
    this.nat = nat;
  }

  /** Plays process_sdp; a verdict. */
  int describe(SipMessage message) {
    if (!message.finds(SdpLine.VERSION, message.start, null)) {
      return Verdict.ACCEPT;
    }
    int session = message.from;
    // The first medium ends what is said of the whole session.
    boolean hasAddress = message.finds(SdpLine.CONNECTION, session, SdpLine.MEDIA);
    int sessionAddress = message.address;
    boolean announced = false;
    int address = sessionAddress;
    int at = session;
    for (int media = 0; media < KINDS.length; ) {
      if (!message.finds(SdpLine.MEDIA, at, null)) {
        break;
      }
      int expectClass = classOf(message);
      if (expectClass == 0) {
        at = message.to;
        continue;
      }
      at = message.from + KINDS[expectClass - 1].length;
      int to = message.to;
      long port = message.number(at);
      if (port <= 0) {
        continue; // the stream is not active
      }
      if (port < MIN_PORT || port > 0xFFFF) {
        return helper.drop("wrong port " + port);
      }
      boolean ownAddress = message.finds(SdpLine.CONNECTION, at, SdpLine.MEDIA);
      if (!ownAddress && !hasAddress) {
        return helper.drop("cannot parse SDP message");
      }
      address = ownAddress ? message.address : sessionAddress;
      announced = true;
      wanted.destination = address;
      int verdict = expect(message, expectClass, (int) port, at, to);
      address = wanted.destination;
      if (verdict != Verdict.ACCEPT) {
        return helper.drop("cannot add expectation for voice");
      }
      if (ownAddress && nat.isNeeded(message.ct) && !nat.writesAddress(message, at, address)) {
        return helper.drop("cannot mangle SDP");
      }
      media++;
    }
    if (!nat.isNeeded(message.ct) || !hasAddress && !announced) {
      return Verdict.ACCEPT;
    }
    return nat.writesSession(message, session, address) ? Verdict.ACCEPT : Verdict.DROP;
  }

  private static int classOf(SipMessage message) {
    for (int i = 0; i < KINDS.length; i++) {
      if (Payload.startsWith(message.skb.head, message.from, message.to, KINDS[i])) {
        return i + 1;
      }
    }
    return 0;
  }

  /**
   * Plays set_expected_rtp_rtcp: media for the sender of the message only, from its peer only
   * (sip_direct_media).
   *
   * @param from where the port stands; {@code wanted.destination} is the address, which NAT changes
   */
  private int expect(SipMessage message, int expectClass, int port, int from, int to) {
    int ct = message.ct;
    int near = message.direction;
    if (wanted.destination != conntrack.source(ct, near)) {
      return Verdict.ACCEPT;
    }
    int source = conntrack.source(ct, 1 - near);
    wanted.source = source;
    wanted.sourcePort = 0;
    wanted.protocol = IpHeader.IPPROTO_UDP;
    wanted.destinationPort = port;
    boolean direct = false;
    while (true) {
      // The same description may have come through another connection already.
      ConntrackExpect known = conntrack.expectations().find(wanted, conntrack.zoneId(ct));
      if (known == null
          || known.master == ct
          || known.helper != helper
          || known.expectClass != expectClass) {
        break;
      }
      if (direct
          || !nat.isNeeded(ct)
          || known.savedAddress == known.tuple.destination
              && known.savedPort == known.tuple.destinationPort) {
        return direct && !writesDirectPort(message, from, to) ? Verdict.DROP : Verdict.ACCEPT;
      }
      // Both ends are translated here: they shall talk to each other without.
      direct = true;
      wanted.destination = known.savedAddress;
      wanted.destinationPort = known.savedPort;
    }
    if (direct && !writesDirectPort(message, from, to)) {
      return Verdict.DROP;
    }
    int rtpPort = wanted.destinationPort & ~1;
    ConntrackExpect rtp = media(ct, expectClass, source, rtpPort);
    ConntrackExpect rtcp = media(ct, expectClass, source, rtpPort + 1);
    boolean expected;
    if (nat.isNeeded(ct) && !direct) {
      expected = nat.expectsMedia(message, rtp, rtcp, from, to);
      wanted.destination = rtp.tuple.destination;
    } else {
      expected = expects(rtp, rtcp);
    }
    if (message.skb.trace != null && expected) {
      helper.tell(
          message,
          "media wanted at "
              + Ip4.format(conntrack.source(ct, near))
              + ":"
              + port
              + "; "
              + helper.announced(rtp, "RTP")
              + ", RTCP at port "
              + rtcp.tuple.destinationPort);
    }
    return expected ? Verdict.ACCEPT : Verdict.DROP;
  }

  private boolean writesDirectPort(SipMessage message, int from, int to) {
    return nat.writesPort(message, from, to, wanted.destinationPort & ~1);
  }

  private ConntrackExpect media(int ct, int expectClass, int source, int port) {
    ConntrackExpect expect = conntrack.expect(ct);
    expect.expectClass = expectClass;
    return expect.to(source, wanted.destination, IpHeader.IPPROTO_UDP, port);
  }

  /** The very same expectation, of this or of another connection, will do. */
  private boolean expects(ConntrackExpect rtp, ConntrackExpect rtcp) {
    int first = conntrack.expectations().related(rtp, true);
    if (first != 0 && first != ConntrackExpectations.EALREADY) {
      return false;
    }
    int second = conntrack.expectations().related(rtcp, true);
    if (second == 0 || second == ConntrackExpectations.EALREADY) {
      return true;
    }
    if (first == 0) {
      conntrack.expectations().remove(rtp);
    }
    return false;
  }
}
