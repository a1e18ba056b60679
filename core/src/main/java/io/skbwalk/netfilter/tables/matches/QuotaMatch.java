// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_quota: so many bytes match. The first packet that is larger than what is left ends it:
 * not even a small one matches after that.
 *
 * @param quota bytes, without a sign
 */
public record QuotaMatch(long quota, boolean inverted) implements Match {
  /** {@code -m quota}. */
  public static final MatchType TYPE =
      new MatchType(
          "quota",
          "So many bytes match, and nothing after them.",
          OptionSpec.value("quota")
              .inverted()
              .needed()
              .about("Bytes, from the IP header on.", "1000000")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new QuotaMatch(options.unsigned64("quota", 0), options.inverted("quota"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --quota " : " --quota ").append(Long.toUnsignedString(quota));
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Left(quota, inverted);
  }

  private static final class Left implements PacketMatch {
    private final boolean inverted;
    private long left;

    Left(long quota, boolean inverted) {
      this.left = quota;
      this.inverted = inverted;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      if (Long.compareUnsigned(left, skb.length()) >= 0) {
        left -= skb.length();
        return !inverted;
      }
      left = 0;
      return inverted;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return inverted
          ? "the quota is not used up, " + Long.toUnsignedString(left) + " bytes are left"
          : "the quota is used up";
    }
  }
}
