// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.InetSock;
import io.skbwalk.netfilter.Ipv4Operations;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.skb.UdpHeader;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_TPROXY: gives the packet to a transparent socket of this machine, whomever it is for. A
 * policy rule for the mark must then route it here.
 *
 * @param port the socket's; 0 for the packet's own
 * @param address the socket's; 0 for that of the interface that the packet came in on
 */
public record TproxyTarget(int port, int address, int mark, int mask) implements StatelessTarget {
  /** {@code -j TPROXY}. */
  public static final TargetType TYPE =
      new TargetType(
          "TPROXY",
          "Gives the packet to a transparent socket here; table mangle, PREROUTING.",
          OptionSpec.value("on-port").needed().about("The socket's port; 0: the packet's.", "8080"),
          OptionSpec.value("on-ip").about("The socket's address; else the interface's."),
          OptionSpec.value("tproxy-mark").about("value/mask of the packet's new mark.", "1/1")) {
        @Override
        public Target parse(Options options, int protocol) {
          long mark = options.has("tproxy-mark") ? options.valueAndMask("tproxy-mark") : 0;
          return new TproxyTarget(
              options.libraryPort("on-port", options.text("on-port")),
              options.has("on-ip") ? options.host("on-ip", options.text("on-ip")) : 0,
              (int) (mark >>> 32),
              (int) mark);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --on-port ").append(port);
    out.append(" --on-ip ").append(Ip4.format(address));
    out.append(" --tproxy-mark ").append(MarkTarget.hex(mark));
    out.append('/').append(MarkTarget.hex(mask));
  }

  @Override
  public String refusal(RulePlace place) {
    if (place.table() != TableKind.MANGLE) {
      return place.onlyIn(TableKind.MANGLE);
    }
    if (place.isReachedOutside(Hook.PRE_ROUTING.bit)) {
      return "only in PREROUTING and chains that it alone calls";
    }
    return place.isProtocol(IpHeader.IPPROTO_TCP) || place.isProtocol(IpHeader.IPPROTO_UDP)
        ? null
        : "needs -p tcp or -p udp";
  }

  @Override
  public boolean needsDefragmentation() {
    return true;
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    int at = context.transport;
    int protocol = IpHeader.protocol(skb);
    int header = protocol == IpHeader.IPPROTO_TCP ? TcpHeader.MIN_LENGTH : UdpHeader.LENGTH;
    if (skb.tail - at < header) {
      return Verdict.DROP;
    }
    Ipv4Operations ipv4 = context.environment.ipv4();
    int local = address != 0 ? address : ipv4.firstAddress(context.in);
    local = local != 0 ? local : IpHeader.destination(skb);
    int localPort = port != 0 ? port : skb.u16(at + UdpHeader.DESTINATION_OFFSET);
    InetSock sock = ipv4.lookupListener(protocol, local, localPort, context.in);
    if (sock == null || !sock.isTransparent()) {
      if (skb.trace != null) {
        String where = " socket listens on " + Ip4.format(local) + ":" + localPort;
        skb.trace.on(new TraceEvent.Step("tproxy_tg4", "no transparent" + where));
      }
      return Verdict.DROP;
    }
    int old = skb.mark;
    skb.mark = old & ~mask ^ mark;
    skb.sk = sock;
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step("tproxy_tg4", "for the transparent socket " + sock));
      if (old != skb.mark) {
        skb.trace.on(new TraceEvent.Changed("mark", MarkTarget.hex(old), MarkTarget.hex(skb.mark)));
      }
    }
    return Verdict.ACCEPT;
  }
}
