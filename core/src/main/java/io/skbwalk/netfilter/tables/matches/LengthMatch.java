// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

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

/** Plays xt_length: the IP packet's total length in bytes, header included. */
public record LengthMatch(int low, int high, boolean inverted) implements StatelessMatch {
  /** {@code -m length}. */
  public static final MatchType TYPE =
      new MatchType(
          "length",
          "Length of the IP packet.",
          OptionSpec.value("length").inverted().needed().about("Bytes, or a range.", "40:64")) {
        @Override
        public Match parse(Options options, int protocol) {
          long range = options.range("length", 0xFFFF);
          return new LengthMatch((int) (range >>> 32), (int) range, options.inverted("length"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --length " : " --length ").append(low);
    if (high != low) {
      out.append(':').append(high);
    }
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.range(PacketKey.LENGTH, low, high, inverted);
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    int length = IpHeader.totalLength(skb);
    return (length >= low && length <= high) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "length is " + IpHeader.totalLength(skb);
  }
}
