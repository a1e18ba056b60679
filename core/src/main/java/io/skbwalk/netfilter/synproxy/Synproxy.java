// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.synproxy;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.netfilter.HookRole;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Netfilter;
import io.skbwalk.netfilter.NfHookOps;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackEvents;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackSynproxy;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.Net;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;
import java.util.List;

/**
 * Plays nf_synproxy_core.c: answers SYNs in a server's place with cookies, and begins the
 * connection to the server once a client has brought its cookie back. From then on conntrack shifts
 * the server's sequence numbers to those of the cookie, and the hook function its timestamps.
 *
 * <pre>
 *   client            proxy             server
 *     | SYN             |                 |
 *     |---------------->|                 |
 *     |  SYN/ACK cookie |                 |       (no memory of it)
 *     |<----------------|                 |
 *     | ACK cookie + 1  | SYN             |
 *     |---------------->|---------------->|       SYN_SENT; the cookie is in its ack field
 *     |                 |         SYN/ACK |
 *     |                 |<----------------|
 *     |  window update  | ACK             |
 *     |<----------------|---------------->|       ESTABLISHED
 * </pre>
 */
public final class Synproxy {
  /** Before the sequence numbers are shifted. */
  private static final int PRIORITY = HookPriority.CONNTRACK_CONFIRM - 1;

  private static final int NANOS_PER_MILLI = 1_000_000;

  // enum tcp_conntrack
  private static final int SYN_SENT = 1;
  private static final int SYN_RECV = 2;
  private static final int CLOSE = 8;

  private final Net net;
  private final Conntrack conntrack;
  private final SynproxySegments segments;
  private final SynCookies cookies;
  private final SynproxyOptions options = new SynproxyOptions();

  /** Connections begun with it have what a proxied one keeps (snet-&gt;tmpl). */
  private final int template;

  private final Netfilter netfilter;
  private final List<NfHookOps> ops =
      List.of(
          new NfHookOps(Hook.LOCAL_IN, PRIORITY, HookRole.OTHER, this::hook),
          new NfHookOps(Hook.POST_ROUTING, PRIORITY, HookRole.OTHER, this::hook));

  /** Rules that use it; the hook functions are there while there are some. */
  private int users;

  /** One machine's. */
  public Synproxy(Net net, Netfilter netfilter, Conntrack conntrack, Ipv4Operations ipv4) {
    this.net = net;
    this.netfilter = netfilter;
    this.conntrack = conntrack;
    segments = new SynproxySegments(ipv4, conntrack, options);
    cookies = new SynCookies(net);
    template = conntrack.allocateTemplate(0, Conntrack.ZONE_DIR_BOTH, false);
    conntrack.addSynproxy(template);
  }

  /** Plays nf_synproxy_ipv4_init: one more rule uses it. */
  public void use() {
    if (users++ == 0) {
      netfilter.register(ops);
    }
  }

  /** Plays nf_synproxy_ipv4_fini: one rule less. */
  public void release() {
    if (--users == 0) {
      netfilter.unregister(ops);
    }
  }

  // ---- the target -------------------------------------------------------------------------------

  /**
   * Plays synproxy_tg4 behind its check of the checksum: a SYN is answered, an ACK begins the
   * connection to the server; both are gone then.
   *
   * @return STOLEN, DROP, or -1 when it is neither and the rules go on
   */
  public int target(SkBuff skb, int tcp, SynproxyInfo info) {
    if (tcp + TcpHeader.MIN_LENGTH > skb.tail || !options.parse(skb, tcp)) {
      return Verdict.DROP;
    }
    int flags =
        TcpHeader.flags(skb, tcp) & (TcpHeader.SYN | TcpHeader.ACK | TcpHeader.FIN | TcpHeader.RST);
    if (flags == TcpHeader.SYN) {
      answerSyn(skb, tcp, info);
    } else if (flags == TcpHeader.ACK) {
      if (!receiveClientAck(skb, tcp, skb.u32(tcp + TcpHeader.SEQUENCE_OFFSET))) {
        return Verdict.DROP;
      }
    } else {
      return -1;
    }
    net.skbs.consume(skb);
    return Verdict.STOLEN;
  }

  private void answerSyn(SkBuff skb, int tcp, SynproxyInfo info) {
    if ((TcpHeader.flags(skb, tcp) & (TcpHeader.ECE | TcpHeader.CWR))
        == (TcpHeader.ECE | TcpHeader.CWR)) {
      options.bits |= SynproxyInfo.ECN;
    }
    options.bits &= info.options();
    int mss = options.mss;
    options.mss = info.mss();
    if (options.has(SynproxyInfo.TIMESTAMP)) {
      options.initTimestampCookie((int) (net.clock.now() / NANOS_PER_MILLI), info.windowScale());
    } else {
      // Without a timestamp there is no room for what the client's SYN said.
      options.bits &= ~(SynproxyInfo.WSCALE | SynproxyInfo.SACK_PERM | SynproxyInfo.ECN);
    }
    segments.clientSynAck(skb, tcp, cookies.initialSequence(skb, tcp, mss));
  }

  /** Plays synproxy_recv_client_ack; false when the acknowledged number is no cookie. */
  private boolean receiveClientAck(SkBuff skb, int tcp, int sequence) {
    int mss = cookies.check(skb, tcp, skb.u32(tcp + TcpHeader.ACK_OFFSET) - 1);
    if (skb.trace != null) {
      skb.trace.on(
          new TraceEvent.Step(
              "synproxy_recv_client_ack",
              mss == 0
                  ? "what it acknowledges is no cookie of this machine's, or one of minutes ago"
                  : "it acknowledges the cookie; segments of " + mss + " bytes"));
    }
    if (mss == 0) {
      return false;
    }
    options.mss = mss;
    options.bits |= SynproxyInfo.MSS;
    if (options.has(SynproxyInfo.TIMESTAMP)) {
      options.checkTimestampCookie();
    }
    segments.serverSyn(skb, tcp, sequence, template);
    return true;
  }

  // ---- the hook ---------------------------------------------------------------------------------

  /** Plays ipv4_synproxy_hook: follows the handshake with the server, then its timestamps. */
  private int hook(Hook hook, SkBuff skb, NetDevice in, NetDevice out) {
    int ct = skb.ct;
    if (ct == 0
        || !conntrack.hasSynproxy(ct)
        || Conntrack.isLoopback(skb)
        || IpHeader.protocol(skb) != IpHeader.IPPROTO_TCP) {
      return Verdict.ACCEPT;
    }
    int tcp = skb.networkHeader + IpHeader.headerLength(skb);
    if (tcp + TcpHeader.MIN_LENGTH > skb.tail) {
      return Verdict.DROP;
    }
    int flags = TcpHeader.flags(skb, tcp);
    boolean original = ConntrackInfo.direction(skb.ctInfo) == ConntrackInfo.ORIGINAL;
    switch (conntrack.protocolState(ct)) {
      case CLOSE -> {
        if ((flags & TcpHeader.RST) != 0 && !original) {
          // The server refuses; its RST must fit what the client knows.
          int isn = conntrack.synproxy(ct, ConntrackSynproxy.ISN);
          adjustFrom(skb, isn - skb.u32(tcp + TcpHeader.SEQUENCE_OFFSET) + 1);
        } else if ((flags & (TcpHeader.SYN | TcpHeader.ACK)) == TcpHeader.SYN && original) {
          // Opened again: the next SYN/ACK tells the shifts anew.
          conntrack.setSynproxy(ct, ConntrackSynproxy.TIMESTAMP_SHIFT, 0);
          return toServer(hook, skb, tcp, flags, original);
        }
      }
      case SYN_SENT -> {
        return toServer(hook, skb, tcp, flags, original);
      }
      case SYN_RECV -> {
        if ((flags & (TcpHeader.SYN | TcpHeader.ACK)) == (TcpHeader.SYN | TcpHeader.ACK)) {
          return fromServer(hook, skb, tcp);
        }
      }
      default -> {}
    }
    return adjustTimestamps(hook, skb, tcp, original);
  }

  /** The server is asked: our SYN brings the cookie, a client that waits sends its ACK again. */
  private int toServer(Hook hook, SkBuff skb, int tcp, int flags, boolean original) {
    if (!options.parse(skb, tcp)) {
      return Verdict.DROP;
    }
    if ((flags & (TcpHeader.SYN | TcpHeader.ACK)) == TcpHeader.ACK && original) {
      // A keep-alive, whose number is one below that of the ACK which it repeats.
      if (!receiveClientAck(skb, tcp, skb.u32(tcp + TcpHeader.SEQUENCE_OFFSET) + 1)) {
        return Verdict.DROP;
      }
      net.skbs.consume(skb);
      return Verdict.STOLEN;
    }
    int ct = skb.ct;
    conntrack.setSynproxy(ct, ConntrackSynproxy.ISN, skb.u32(tcp + TcpHeader.ACK_OFFSET));
    if (options.has(SynproxyInfo.TIMESTAMP)) {
      conntrack.setSynproxy(ct, ConntrackSynproxy.INITIAL_TIMESTAMP, options.echo);
    }
    conntrack.cacheEvent(ct, ConntrackEvents.SYNPROXY);
    return adjustTimestamps(hook, skb, tcp, original);
  }

  /** The server's SYN/ACK: it is acknowledged, and the client may send. */
  private int fromServer(Hook hook, SkBuff skb, int tcp) {
    if (!options.parse(skb, tcp)) {
      return Verdict.DROP;
    }
    int ct = skb.ct;
    if (options.has(SynproxyInfo.TIMESTAMP)) {
      int initial = conntrack.synproxy(ct, ConntrackSynproxy.INITIAL_TIMESTAMP);
      conntrack.setSynproxy(ct, ConntrackSynproxy.TIMESTAMP_SHIFT, options.timestamp - initial);
      conntrack.cacheEvent(ct, ConntrackEvents.SYNPROXY);
    }
    options.bits &= ~(SynproxyInfo.MSS | SynproxyInfo.WSCALE | SynproxyInfo.SACK_PERM);
    options.swapTimestamps();
    segments.serverAck(skb, tcp);
    int shift =
        conntrack.synproxy(ct, ConntrackSynproxy.ISN) - skb.u32(tcp + TcpHeader.SEQUENCE_OFFSET);
    adjustFrom(skb, shift);
    conntrack.cacheEvent(ct, ConntrackEvents.SEQADJ);
    if (skb.trace != null) {
      tell(hook, skb, "the server answers; its sequence numbers are shifted by " + shift);
    }
    options.swapTimestamps();
    segments.clientAck(skb, tcp);
    net.skbs.consume(skb);
    return Verdict.STOLEN;
  }

  private void adjustFrom(SkBuff skb, int shift) {
    conntrack.sequenceAdjustment().init(skb.ct, skb.ctInfo, shift);
  }

  /** Plays synproxy_tstamp_adjust: the server's clock as the client knows it, and back. */
  private int adjustTimestamps(Hook hook, SkBuff skb, int tcp, boolean original) {
    int shift = conntrack.synproxy(skb.ct, ConntrackSynproxy.TIMESTAMP_SHIFT);
    if (shift == 0) {
      return Verdict.ACCEPT;
    }
    int end = tcp + TcpHeader.headerLength(skb, tcp);
    if (end > skb.tail) {
      return Verdict.DROP;
    }
    int length;
    for (int at = tcp + TcpHeader.MIN_LENGTH; at < end; at += length) {
      int kind = skb.u8(at);
      if (kind == 0) {
        break;
      }
      length = kind == 1 ? 1 : at + 1 == end ? 0 : skb.u8(at + 1);
      if (length == 0 || kind != 1 && (length < 2 || at + length > end)) {
        break;
      }
      if (kind == SynproxyOptions.TIMESTAMP && length == SynproxyOptions.TIMESTAMP_LENGTH) {
        int field = original ? at + 6 : at + 2;
        replace(skb, tcp, field, skb.u32(field) + (original ? shift : -shift));
        if (skb.trace != null) {
          tell(
              hook,
              skb,
              (original ? "echoed timestamp shifted by " : "timestamp shifted by ")
                  + (original ? shift : -shift));
        }
      }
    }
    return Verdict.ACCEPT;
  }

  /** Where an option lies at an odd place this spoils the checksum, as in Linux. */
  private static void replace(SkBuff skb, int tcp, int field, int value) {
    int checksum = tcp + TcpHeader.CHECKSUM_OFFSET;
    skb.setU16(checksum, Checksum.replace32(skb.u16(checksum), skb.u32(field), value));
    skb.setU32(field, value);
  }

  private static void tell(Hook hook, SkBuff skb, String text) {
    skb.trace.on(new TraceEvent.HookStep(hook.name(), PRIORITY, "synproxy", text));
  }
}
