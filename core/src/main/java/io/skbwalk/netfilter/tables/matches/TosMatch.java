// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.Tos;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays xt_dscp's tos match: the type of service under a mask. */
public record TosMatch(int value, int mask, boolean inverted) implements StatelessMatch {
  /** {@code -m tos}. */
  public static final MatchType TYPE =
      new MatchType(
          "tos",
          "Type of service.",
          OptionSpec.value("tos")
              .inverted()
              .needed()
              .about(
                  "A name such as Minimize-Delay, a value, or value/mask.",
                  "Minimize-Delay",
                  "0x10/0xff")) {
        @Override
        public Match parse(Options options, int protocol) {
          int tos = Tos.parse(options, "tos");
          return new TosMatch(tos >>> 8, tos & 0xFF, options.inverted("tos"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --tos " : " --tos ").append(Tos.text(value)).append('/');
    out.append(Tos.text(mask));
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.masked(PacketKey.TOS, value, mask, inverted);
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return ((IpHeader.tos(skb) & mask) == value) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "tos is " + Tos.text(IpHeader.tos(skb));
  }
}
