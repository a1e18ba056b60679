// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack.helper;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_ESTABLISHED_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_EXPECTED;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackExpect;
import io.skbwalk.netfilter.conntrack.ConntrackHelp;
import io.skbwalk.netfilter.conntrack.ConntrackHelper;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;

/**
 * Plays nf_conntrack_sip.c: a client that registers will be called where it said, and the parties
 * of a call talk where their session descriptions say (RFC 3261).
 *
 * <p>With the module's parameters as they are by default, calls come from the registrar only
 * (sip_direct_signalling) and media from the other party only (sip_direct_media).
 */
final class SipHelper extends ConntrackHelper {
  /** SIP_EXPECT_SIGNALLING; the classes of media follow it: audio, video, image. */
  static final int SIGNALLING = 0;

  /** sip_timeout: a connection with SIP lives for an hour after each message, seconds. */
  private static final int SESSION_TIMEOUT = 3600;

  /** {@code "SIP/2.0 200"}; anything shorter is no message. */
  private static final int SHORTEST = 11;

  private static final byte[] RESPONSE = SipMessage.bytes("SIP/2.0 ");
  private static final byte[] TRANSPORT = SipMessage.bytes("transport=");
  private static final byte[] EXPIRES = SipMessage.bytes("expires=");
  private static final byte[] TCP = SipMessage.bytes("TCP");
  private static final byte[] UDP = SipMessage.bytes("UDP");

  private static final Method[] METHODS = Method.values();

  private final SipMessage message = new SipMessage();
  private final SipNat nat;
  private final SipMedia media;

  SipHelper(Conntrack conntrack, int protocol) {
    super(
        conntrack,
        "sip",
        protocol,
        new Policy(1, 180),
        new Policy(4, 180),
        new Policy(4, 180),
        new Policy(2, 180));
    nat = new SipNat(conntrack);
    media = new SipMedia(this, conntrack, nat);
  }

  /** The methods that the helper looks at, in the order in which it compares. */
  private enum Method {
    INVITE,
    UPDATE,
    ACK,
    PRACK,
    BYE,
    REGISTER;

    private final byte[] text = SipMessage.bytes(name());

    /** Does an answer to it say anything? */
    boolean isAnswered() {
      return this != ACK && this != BYE;
    }
  }

  /** Plays struct nf_ct_sip_master. */
  static final class Session extends ConntrackHelp {
    private int registerSequence;
    private int inviteSequence;

    /** Where the client wants answers when that is not where it sends from; 0 for there. */
    int forcedPort;

    Session(SipHelper helper) {
      super(helper);
    }
  }

  @Override
  public ConntrackHelp newHelp() {
    return new Session(this);
  }

  // ---- messages in packets ----------------------------------------------------------------------

  @Override
  public int help(Hook hook, SkBuff skb, int offset, int ct, int ctInfo) {
    message.take(hook, skb, offset);
    return protocol == IpHeader.IPPROTO_TCP ? segment(ctInfo) : datagram();
  }

  /** Plays sip_help_udp: a datagram is a message. */
  private int datagram() {
    message.start = message.transport + UdpHeader.LENGTH;
    message.end = message.skb.tail;
    if (message.start >= message.end) {
      return Verdict.ACCEPT;
    }
    conntrack.refresh(message.ct, SESSION_TIMEOUT);
    return message.end - message.start < SHORTEST ? Verdict.ACCEPT : read();
  }

  /** Plays sip_help_tcp: a segment has messages one after another, each with its length. */
  private int segment(int ctInfo) {
    SkBuff skb = message.skb;
    int header = message.transport + TcpHeader.MIN_LENGTH;
    if (ctInfo != IP_CT_ESTABLISHED && ctInfo != IP_CT_ESTABLISHED_REPLY || skb.tail < header) {
      return Verdict.ACCEPT;
    }
    message.start = message.transport + TcpHeader.headerLength(skb, message.transport);
    if (message.start >= skb.tail) {
      return Verdict.ACCEPT;
    }
    conntrack.refresh(message.ct, SESSION_TIMEOUT);
    if (skb.tail - message.start < SHORTEST) {
      return Verdict.ACCEPT;
    }
    int before = skb.tail;
    int verdict = Verdict.ACCEPT;
    int end;
    while (verdict == Verdict.ACCEPT && (end = endOfMessage()) >= 0) {
      if (end > skb.tail) {
        return Verdict.ACCEPT; // the rest comes later; what was rewritten until here is not told
      }
      message.end = end;
      verdict = read();
      message.start = message.end;
    }
    if (verdict == Verdict.ACCEPT && nat.isNeeded(message.ct)) {
      nat.shift(message, skb.tail - before);
    }
    return verdict;
  }

  /** Behind the message's body, perhaps behind the packet; -1 when its length is not known. */
  private int endOfMessage() {
    SkBuff skb = message.skb;
    message.end = skb.tail;
    if (!message.finds(SipHeader.CONTENT_LENGTH)) {
      return -1;
    }
    long length = message.number(message.from);
    if (length < 0 || length > skb.tail - message.start) {
      return -1;
    }
    for (int at = message.to; at + 4 <= skb.tail; at++) {
      if (skb.u32(at) == 0x0D0A0D0A) {
        return at + 4 + (int) length;
      }
    }
    return -1;
  }

  /** Plays process_sip_msg. */
  private int read() {
    Session session = (Session) conntrack.help(message.ct);
    int verdict =
        message.startsWith(message.start, RESPONSE) ? response(session) : request(session);
    if (verdict == Verdict.ACCEPT
        && nat.isNeeded(message.ct)
        && !nat.translates(message, session)) {
      return drop("cannot NAT SIP message");
    }
    return verdict;
  }

  /** Drops the message at hand. */
  int drop(String why) {
    return drop(message.skb, why);
  }

  /** A step of a traced message. */
  void tell(SipMessage message, String text) {
    step(message.hook, message.skb, text);
  }

  /** {@link #expecting} for the parts of this helper. */
  String announced(ConntrackExpect expect, String what) {
    return expecting(expect, what);
  }

  // ---- requests ---------------------------------------------------------------------------------

  /** Plays process_sip_request. */
  private int request(Session session) {
    int ct = message.ct;
    int near = message.direction;
    // Some telephones send from a high port and hear at 5060.
    if (message.findsAddress(SipHeader.VIA_UDP)
        && message.port != conntrack.sourcePort(ct, near)
        && message.address == conntrack.source(ct, near)) {
      session.forcedPort = message.port;
    }
    for (Method method : METHODS) {
      int behind = message.start + method.text.length;
      if (message.end < behind + 2
          || !message.startsWith(message.start, method.text)
          || message.skb.head[behind] != ' '
          || !message.isLetterAt(behind + 1)) {
        continue;
      }
      long sequence = sequence();
      return sequence < 0 ? drop("cannot parse cseq") : request(session, method, (int) sequence);
    }
    return Verdict.ACCEPT;
  }

  /** The number in CSeq, -1 without. */
  private long sequence() {
    return message.finds(SipHeader.CSEQ) ? message.number(message.from) : -1;
  }

  private int request(Session session, Method method, int sequence) {
    switch (method) {
      case INVITE:
        flushMedia("a new INVITE");
        int verdict = media.describe(message);
        if (verdict == Verdict.ACCEPT) {
          session.inviteSequence = sequence;
        }
        return verdict;
      case BYE:
        flushMedia("BYE");
        return Verdict.ACCEPT;
      case REGISTER:
        return register(session, sequence);
      default:
        return media.describe(message);
    }
  }

  /**
   * Plays process_register_request: the client will be called where its Contact says, once the
   * registrar agrees.
   */
  private int register(Session session, int sequence) {
    int ct = message.ct;
    int near = message.direction;
    if (conntrack.has(ct, IPS_EXPECTED)) {
      return Verdict.ACCEPT;
    }
    long expires = expires();
    if (!message.findsAddress(SipHeader.CONTACT) || message.address != conntrack.source(ct, near)) {
      return Verdict.ACCEPT; // nobody registers for others
    }
    int address = message.address;
    int port = message.port;
    int from = message.from;
    int to = message.to;
    if (!isOurTransport(to)) {
      return Verdict.ACCEPT;
    }
    if (message.hasParameter(to, EXPIRES)) {
      expires = message.numberParameter(to, EXPIRES);
      if (expires < 0) {
        return drop("cannot parse expires");
      }
    }
    int verdict = Verdict.ACCEPT;
    if (expires != 0) {
      ConntrackExpect expect =
          conntrack.expect(ct).to(conntrack.source(ct, 1 - near), address, protocol, port);
      expect.assignHelper = this;
      expect.flags = ConntrackExpect.PERMANENT | ConntrackExpect.INACTIVE;
      message.from = from;
      message.to = to;
      boolean expected =
          nat.isNeeded(ct)
              ? nat.expects(message, session, expect)
              : conntrack.expectations().related(expect) == 0;
      verdict = expected ? Verdict.ACCEPT : Verdict.DROP;
      if (message.skb.trace != null) {
        tell(
            message,
            "REGISTER of "
                + Ip4.format(address)
                + ":"
                + port
                + "; "
                + (expected
                    ? expecting(expect, "calls") + ", once the registrar agrees"
                    : "cannot add expectation"));
      }
    }
    if (verdict == Verdict.ACCEPT) {
      session.registerSequence = sequence;
    }
    return verdict;
  }

  /** Seconds in the header Expires, 0 without. */
  private long expires() {
    return message.finds(SipHeader.EXPIRES) ? Math.max(0, message.number(message.from)) : 0;
  }

  /** Plays ct_sip_parse_transport: a Contact may ask for another protocol than it came in. */
  private boolean isOurTransport(int at) {
    return !message.findsParameter(at, TRANSPORT)
        || message.startsWith(message.from, protocol == IpHeader.IPPROTO_TCP ? TCP : UDP);
  }

  // ---- responses --------------------------------------------------------------------------------

  /** Plays process_sip_response. */
  private int response(Session session) {
    long code = message.number(message.start + RESPONSE.length);
    if (code <= 0) {
      return drop("cannot get code");
    }
    long sequence = sequence();
    if (sequence < 0) {
      return drop("cannot parse cseq");
    }
    int word = message.to + 1;
    for (Method method : METHODS) {
      if (method.isAnswered() && message.startsWith(word, method.text)) {
        return method == Method.REGISTER
            ? registered(session, (int) sequence, code)
            : answered(session, (int) sequence, code);
      }
    }
    return Verdict.ACCEPT;
  }

  /** Plays process_invite_response and its likes. */
  private int answered(Session session, int sequence, long code) {
    if (code >= 100 && code <= 299) {
      return media.describe(message);
    }
    if (session.inviteSequence == sequence) {
      flushMedia("the call was refused");
    }
    return Verdict.ACCEPT;
  }

  /** Plays process_register_response. */
  private int registered(Session session, int sequence, long code) {
    if (session.registerSequence != sequence || code >= 100 && code <= 199) {
      return Verdict.ACCEPT;
    }
    if (code >= 200 && code <= 299) {
      long expires = expires();
      int at;
      for (boolean found = message.findsAddress(SipHeader.CONTACT);
          found;
          found = message.findsNextAddress(SipHeader.CONTACT, at)) {
        at = message.to;
        int address = message.address;
        int port = message.port;
        if (address != conntrack.destination(message.ct, message.direction)
            || !isOurTransport(at)) {
          continue;
        }
        long own = expires;
        if (message.hasParameter(at, EXPIRES)) {
          own = message.numberParameter(at, EXPIRES);
          if (own < 0) {
            return drop("cannot parse expires");
          }
        }
        if (own == 0) {
          break;
        }
        if (activates(address, port, own)) {
          return Verdict.ACCEPT;
        }
      }
    }
    flushSignalling();
    return Verdict.ACCEPT;
  }

  /** Plays refresh_signalling_expectation. */
  private boolean activates(int address, int port, long seconds) {
    ConntrackExpect expect = conntrack.help(message.ct).newest();
    for (; expect != null; expect = ConntrackHelp.older(expect)) {
      if (expect.expectClass == SIGNALLING
          && expect.tuple.destination == address
          && expect.tuple.destinationPort == port
          && expect.tuple.protocol == protocol) {
        expect.flags &= ~ConntrackExpect.INACTIVE;
        conntrack.expectations().refresh(expect, (int) seconds);
        if (message.skb.trace != null) {
          tell(message, "the registrar agrees; " + expecting(expect, "calls"));
        }
        return true;
      }
    }
    return false;
  }

  // ---- what is not expected any more ------------------------------------------------------------

  /** Plays flush_expectations with media. */
  private void flushMedia(String why) {
    boolean flushed = false;
    ConntrackExpect expect = conntrack.help(message.ct).newest();
    while (expect != null) {
      ConntrackExpect older = ConntrackHelp.older(expect);
      if (expect.expectClass != SIGNALLING) {
        conntrack.expectations().remove(expect);
        flushed = true;
      }
      expect = older;
    }
    if (flushed && message.skb.trace != null) {
      tell(message, why + ": the media announced before are not expected any more");
    }
  }

  /** Plays flush_expectations without media: the newest goes. */
  private void flushSignalling() {
    ConntrackExpect expect = conntrack.help(message.ct).newest();
    while (expect != null && expect.expectClass != SIGNALLING) {
      expect = ConntrackHelp.older(expect);
    }
    if (expect != null) {
      conntrack.expectations().remove(expect);
      if (message.skb.trace != null) {
        tell(message, "the registration is over: calls are not expected any more");
      }
    }
  }
}
