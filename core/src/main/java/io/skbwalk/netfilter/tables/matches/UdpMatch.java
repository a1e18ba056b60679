// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.UdpHeader;

/** Plays xt_tcpudp's UDP match: ports. */
public record UdpMatch(
    int sourceLow,
    int sourceHigh,
    boolean notSource,
    int destinationLow,
    int destinationHigh,
    boolean notDestination)
    implements StatelessMatch {
  /** {@code -m udp}. */
  public static final MatchType TYPE =
      new MatchType(
          "udp",
          IpHeader.IPPROTO_UDP,
          OptionSpec.value("source-port", "sport").inverted(),
          OptionSpec.value("destination-port", "dport").inverted()) {
        @Override
        public Match parse(Options options, int protocol) {
          long source = options.has("source-port") ? options.ports("source-port", 17) : 0xFFFF;
          long destination =
              options.has("destination-port") ? options.ports("destination-port", 17) : 0xFFFF;
          return new UdpMatch(
              (int) (source >>> 32),
              (int) source,
              options.inverted("source-port"),
              (int) (destination >>> 32),
              (int) destination,
              options.inverted("destination-port"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    PortRange.save(out, "--sport", sourceLow, sourceHigh, notSource);
    PortRange.save(out, "--dport", destinationLow, destinationHigh, notDestination);
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
    return PortRange.matches(skb.u16(udp), sourceLow, sourceHigh, notSource)
        && PortRange.matches(skb.u16(udp + 2), destinationLow, destinationHigh, notDestination);
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
    return PortRange.matches(skb.u16(udp), sourceLow, sourceHigh, notSource)
        ? "destination port is " + skb.u16(udp + 2)
        : "source port is " + skb.u16(udp);
  }
}
