// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.InetSock;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_socket and nf_socket_ipv4: does a TCP or UDP socket of this machine take the packet? One
 * that is bound to no address takes packets for this machine, which says nothing about one for
 * others; it counts only when asked for.
 */
public record SocketMatch(boolean transparent, boolean noWildcard, boolean restoreMark)
    implements Match {
  /** {@code -m socket}. */
  public static final MatchType TYPE =
      new MatchType(
          "socket",
          "A socket of this machine takes the packet; PREROUTING and INPUT.",
          OptionSpec.flag("transparent").about("Only transparent sockets (IP_TRANSPARENT)."),
          OptionSpec.flag("nowildcard").about("Also sockets that are bound to no address."),
          OptionSpec.flag("restore-skmark").about("Gives the packet the socket's mark.")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new SocketMatch(
              options.has("transparent"), options.has("nowildcard"), options.has("restore-skmark"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(transparent ? " --transparent" : "").append(noWildcard ? " --nowildcard" : "");
    out.append(restoreMark ? " --restore-skmark" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    return place.isReachedOutside(Hook.PRE_ROUTING.bit | Hook.LOCAL_IN.bit)
        ? "only in PREROUTING and INPUT and chains that they alone call"
        : null;
  }

  @Override
  public boolean needsDefragmentation() {
    return true;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Lookup(environment);
  }

  /** Plays nf_sk_lookup_slow_v4 and socket_match. */
  private final class Lookup implements PacketMatch {
    private final Environment environment;

    /** What to look for; the protocol is 0 for a packet that no such socket takes. */
    private int protocol;

    private int address;
    private int port;

    Lookup(Environment environment) {
      this.environment = environment;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      InetSock sock = socket(skb, context);
      if (sock == null || !isWanted(sock)) {
        return false;
      }
      if (restoreMark) {
        restore(skb, sock.mark());
      }
      return true;
    }

    private boolean isWanted(InetSock sock) {
      return (noWildcard || !sock.isWildcard()) && (!transparent || sock.isTransparent());
    }

    private static void restore(SkBuff skb, int mark) {
      if (skb.trace != null && skb.mark != mark) {
        skb.trace.on(
            new TraceEvent.Changed(
                "mark", "0x" + Integer.toHexString(skb.mark), "0x" + Integer.toHexString(mark)));
      }
      skb.mark = mark;
    }

    private InetSock socket(SkBuff skb, PacketContext context) {
      if (skb.sk instanceof InetSock assigned) {
        return assigned;
      }
      protocol = 0;
      int at = context.transport;
      switch (IpHeader.protocol(skb)) {
        case IpHeader.IPPROTO_TCP -> destination(skb, at, TcpHeader.MIN_LENGTH);
        case IpHeader.IPPROTO_UDP -> destination(skb, at, UdpHeader.LENGTH);
        case IpHeader.IPPROTO_ICMP -> quoted(skb, at);
        default -> {}
      }
      if (protocol == 0) {
        return null;
      }
      original(skb);
      return environment.ipv4().lookupSocket(protocol, address, port, context.in);
    }

    private void destination(SkBuff skb, int at, int length) {
      if (skb.tail - at >= length) {
        protocol = IpHeader.protocol(skb);
        address = IpHeader.destination(skb);
        port = skb.u16(at + UdpHeader.DESTINATION_OFFSET);
      }
    }

    /** Plays extract_icmp4_fields: what an error quotes was sent from here. */
    private void quoted(SkBuff skb, int at) {
      int quoted = at + IcmpHeader.LENGTH;
      if (skb.tail - quoted < IpHeader.MIN_LENGTH
          || !IcmpHeader.isError(skb.u8(at + IcmpHeader.TYPE_OFFSET))) {
        return;
      }
      int carries = skb.u8(quoted + IpHeader.PROTOCOL_OFFSET);
      int ports = quoted + (skb.u8(quoted) & 15) * 4;
      if (carries != IpHeader.IPPROTO_TCP && carries != IpHeader.IPPROTO_UDP
          || skb.tail - ports < 4) {
        return;
      }
      protocol = carries;
      address = skb.u32(quoted + IpHeader.SOURCE_OFFSET);
      port = skb.u16(ports + UdpHeader.SOURCE_OFFSET);
    }

    /** An answer to what left under another address: the socket knows only its own. */
    private void original(SkBuff skb) {
      boolean error = IpHeader.protocol(skb) == IpHeader.IPPROTO_ICMP;
      int info = error ? ConntrackInfo.IP_CT_RELATED_REPLY : ConntrackInfo.IP_CT_ESTABLISHED_REPLY;
      if (skb.ct == 0 || skb.ctInfo != info) {
        return;
      }
      Conntrack conntrack = environment.conntrack();
      if (conntrack.has(skb.ct, ConntrackStatus.IPS_SRC_NAT_DONE)) {
        address = conntrack.source(skb.ct, ConntrackInfo.ORIGINAL);
        port = conntrack.sourcePort(skb.ct, ConntrackInfo.ORIGINAL);
      }
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      InetSock sock = socket(skb, context);
      if (sock != null) {
        boolean wildcard = !noWildcard && sock.isWildcard();
        return sock + (wildcard ? " is bound to no address" : " is not transparent");
      }
      return protocol == 0
          ? "neither a TCP or UDP header nor an ICMP error about one"
          : "no socket for " + Ip4.format(address) + ":" + port;
    }

    @Override
    public String found(SkBuff skb, PacketContext context) {
      return "for the socket " + socket(skb, context);
    }
  }
}
