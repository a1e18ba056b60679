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
import io.skbwalk.skb.SkBuff;

/** Plays xt_mark's match: the packet's mark under a mask. */
public record MarkMatch(MarkValue wanted) implements StatelessMatch {
  /** {@code -m mark}. */
  public static final MatchType TYPE =
      new MatchType(
          "mark",
          "The packet's mark.",
          OptionSpec.value("mark")
              .inverted()
              .needed()
              .about("A 32-bit value, or value/mask.", "0x10/0xff")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new MarkMatch(MarkValue.parse(options));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    wanted.save(out);
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    wanted.ask(PacketKey.MARK, conditions);
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return wanted.matches(skb.mark);
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "mark is 0x" + Integer.toHexString(skb.mark);
  }
}
