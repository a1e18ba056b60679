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

/** Plays xt_connmark's match: the connection's mark under a mask; no connection never matches. */
public record ConnmarkMatch(MarkValue wanted) implements StatelessMatch {
  /** {@code -m connmark}. */
  public static final MatchType TYPE =
      new MatchType(
          "connmark",
          "The connection's mark.",
          OptionSpec.value("mark")
              .inverted()
              .needed()
              .about("A 32-bit value, or value/mask.", "0x10/0xff")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new ConnmarkMatch(MarkValue.parse(options));
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
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    wanted.ask(PacketKey.CONNMARK, conditions);
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return skb.ct != 0 && wanted.matches(context.environment.conntrack().mark(skb.ct));
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return skb.ct == 0
        ? "no connection"
        : "connmark is 0x" + Integer.toHexString(context.environment.conntrack().mark(skb.ct));
  }
}
