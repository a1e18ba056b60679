// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.UdpHeader;

/** Plays xt_tcpudp's UDP match: ports. */
public record UdpMatch(PortRange source, PortRange destination) implements StatelessMatch {
  /** {@code -m udp}. */
  public static final MatchType TYPE =
      new MatchType(
          "udp",
          "UDP's ports; needs protocol: udp.",
          IpHeader.IPPROTO_UDP,
          PortRange.source(),
          PortRange.destination()) {
        @Override
        public Match parse(Options options, int protocol) {
          return new UdpMatch(
              PortRange.parse(options, "source-port", IpHeader.IPPROTO_UDP),
              PortRange.parse(options, "destination-port", IpHeader.IPPROTO_UDP));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    source.save(out, "--sport");
    destination.save(out, "--dport");
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.hasTransport();
    source.ask(PacketKey.SOURCE_PORT, conditions);
    destination.ask(PacketKey.DESTINATION_PORT, conditions);
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return false;
    }
    int udp = context.transport;
    if (skb.tail - udp < UdpHeader.LENGTH) {
      context.hotdrop = true;
      return false;
    }
    return source.matches(skb.u16(udp)) && destination.matches(skb.u16(udp + 2));
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    int udp = context.transport;
    if (context.fragmentOffset != 0) {
      return "a later fragment has no UDP header";
    }
    if (context.hotdrop) {
      return "truncated UDP header";
    }
    return source.matches(skb.u16(udp))
        ? "destination port is " + skb.u16(udp + 2)
        : "source port is " + skb.u16(udp);
  }
}
