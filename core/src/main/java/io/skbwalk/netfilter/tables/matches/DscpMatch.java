// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Dscp;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays xt_dscp's match: the upper six bits of the type of service (RFC 2474). */
public record DscpMatch(int dscp, boolean inverted) implements StatelessMatch {
  /** {@code -m dscp}. */
  public static final MatchType TYPE =
      new MatchType(
          "dscp",
          "Differentiated services code point.",
          OptionSpec.value("dscp").inverted().about("A number from 0 to 63."),
          OptionSpec.value("dscp-class").inverted().about("BE, EF, AFxy or CSx.", "EF", "AF41")) {
        @Override
        public Match parse(Options options, int protocol) {
          String option = options.oneOf(true, "dscp", "dscp-class");
          return new DscpMatch(Dscp.parse(options, option), options.inverted(option));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --dscp " : " --dscp ").append(Dscp.text(dscp));
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.masked(PacketKey.TOS, dscp << 2, 0xFC, inverted);
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return (IpHeader.tos(skb) >>> 2 == dscp) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "dscp is " + Dscp.text(IpHeader.tos(skb) >>> 2);
  }
}
