// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.skb.SkBuff;

/** Plays xt_connmark's match: the connection's mark under a mask; no connection never matches. */
public record ConnmarkMatch(int value, int mask, boolean inverted) implements StatelessMatch {
  /** {@code -m connmark}. */
  public static final MatchType TYPE =
      new MatchType("connmark", OptionSpec.value("mark").inverted().needed()) {
        @Override
        public Match parse(Options options, int protocol) {
          long mark = options.valueAndMask("mark");
          return new ConnmarkMatch((int) (mark >>> 32), (int) mark, options.inverted("mark"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --mark 0x" : " --mark 0x").append(Integer.toHexString(value));
    if (mask != -1) {
      out.append("/0x").append(Integer.toHexString(mask));
    }
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return skb.ct != 0
        && ((context.environment.conntrack().mark(skb.ct) & mask) == value) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return skb.ct == 0
        ? "no connection"
        : "connmark is 0x" + Integer.toHexString(context.environment.conntrack().mark(skb.ct));
  }
}
