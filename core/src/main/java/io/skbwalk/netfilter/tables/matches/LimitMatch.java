// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_limit: a token bucket that every matching packet takes from.
 *
 * @param average ten-thousandths of a second for one packet
 * @param burst packets that a full bucket holds
 */
public record LimitMatch(long average, long burst) implements Match {
  /** XT_LIMIT_SCALE: ten-thousandths of a second. */
  private static final long SCALE = 10_000;

  private static final long DEFAULT_BURST = 5;
  private static final long U32 = 0xFFFFFFFFL;

  /** Credits that one tick adds: a power of two such that a day of them fits 32 bits. */
  private static final long CREDITS_PER_JIFFY = Long.highestOneBit(U32 / (Clock.HZ * 86400L));

  /** {@code -m limit}. */
  public static final MatchType TYPE =
      new MatchType(
          "limit",
          "At most so many matches in a time; the others do not match.",
          OptionSpec.value("limit")
              .about("A rate: number/second, /minute, /hour or /day.", "3/minute"),
          OptionSpec.value("limit-burst").about("So many at once before the rate applies.", "5")) {
        @Override
        public Match parse(Options options, int protocol) {
          long average = SCALE * 3600 / 3;
          if (options.has("limit")) {
            PacketRate rate = PacketRate.parse(options, "limit");
            // The tool's own numbers have 32 bits.
            long number = rate.number() & U32;
            average = number == 0 ? 0 : SCALE * rate.seconds() / number;
            if (average == 0) {
              throw options.error(
                  "limit",
                  "--limit " + options.text("limit") + " is too fast; 10000/second is the most");
            }
          }
          LimitMatch match =
              new LimitMatch(average, options.number("limit-burst", 0, 10000, DEFAULT_BURST));
          if (match.burst == 0 || credits(average * match.burst & U32) < credits(average)) {
            throw options.error(
                "limit-burst", "rate and burst are too large for the kernel's counter, or 0");
          }
          return match;
        }
      };

  /** user2credits, in 32 bits. */
  private static long credits(long user) {
    long perSecond = Clock.HZ * CREDITS_PER_JIFFY;
    return user > U32 / perSecond
        ? user / SCALE * perSecond & U32
        : (user * perSecond & U32) / SCALE;
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --limit");
    PacketRate.save(out, average, SCALE);
    if (burst != DEFAULT_BURST) {
      out.append(" --limit-burst ").append(burst);
    }
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Bucket(credits(average * burst & U32), credits(average), environment.net().clock);
  }

  private static final class Bucket implements PacketMatch {
    private final long cap;
    private final long cost;
    private final Clock clock;
    private long credit;
    private long previous;

    Bucket(long cap, long cost, Clock clock) {
      this.cap = cap;
      this.cost = cost;
      this.clock = clock;
      this.credit = cap;
      this.previous = clock.jiffies();
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      long now = clock.jiffies();
      // The kernel counts in 32 bits: a bucket untouched for very long wraps around.
      credit = Math.min(credit + (now - previous) * CREDITS_PER_JIFFY & U32, cap);
      previous = now;
      if (credit < cost) {
        return false;
      }
      credit -= cost;
      return true;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return "the limit is exceeded";
    }
  }
}
