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

/** Plays xt_hl's ttl match. */
public record TtlMatch(Comparison comparison, int ttl) implements StatelessMatch {
  /** How the packet's time to live compares. */
  public enum Comparison {
    /** Equal. */
    EQ(" --ttl-eq "),
    /** Not equal. */
    NE(" ! --ttl-eq "),
    /** Less. */
    LT(" --ttl-lt "),
    /** Greater. */
    GT(" --ttl-gt ");

    private final String option;

    Comparison(String option) {
      this.option = option;
    }
  }

  /** {@code -m ttl}. */
  public static final MatchType TYPE =
      new MatchType(
          "ttl",
          "Time to live.",
          OptionSpec.value("ttl-eq", "ttl").inverted().about("Exactly."),
          OptionSpec.value("ttl-lt").about("Less than."),
          OptionSpec.value("ttl-gt").about("Greater than.")) {
        @Override
        public Match parse(Options options, int protocol) {
          String option = options.oneOf(true, "ttl-eq", "ttl-lt", "ttl-gt");
          int ttl = (int) options.number(option, 0, 255, 0);
          return switch (option) {
            case "ttl-lt" -> new TtlMatch(Comparison.LT, ttl);
            case "ttl-gt" -> new TtlMatch(Comparison.GT, ttl);
            default -> new TtlMatch(options.inverted(option) ? Comparison.NE : Comparison.EQ, ttl);
          };
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(comparison.option).append(ttl);
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    switch (comparison) {
      case EQ -> conditions.range(PacketKey.TTL, ttl, ttl, false);
      case NE -> conditions.range(PacketKey.TTL, ttl, ttl, true);
      case LT -> conditions.range(PacketKey.TTL, ttl, 0xFF, true);
      case GT -> conditions.range(PacketKey.TTL, 0, ttl, true);
    }
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    int has = IpHeader.ttl(skb);
    return switch (comparison) {
      case EQ -> has == ttl;
      case NE -> has != ttl;
      case LT -> has < ttl;
      case GT -> has > ttl;
    };
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "ttl is " + IpHeader.ttl(skb);
  }
}
