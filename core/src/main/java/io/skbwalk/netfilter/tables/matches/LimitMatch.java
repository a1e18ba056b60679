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
import java.util.List;

/**
 * Plays xt_limit: a token bucket that every matching packet takes from.
 *
 * @param average ten-thousandths of a second for one packet
 * @param burst packets that a full bucket holds
 */
public record LimitMatch(long average, long burst) implements Match {
  /** XT_LIMIT_SCALE: ten-thousandths of a second. */
  private static final long SCALE = 10_000;

  private static final List<String> UNITS = List.of("second", "minute", "hour", "day");
  private static final String[] PRINTED = {"sec", "min", "hour", "day"};
  private static final long[] SECONDS = {1, 60, 3600, 86400};
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
            average = average(options, options.text("limit"));
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

  private static long average(Options options, String text) {
    int slash = text.indexOf('/');
    String count = slash < 0 ? text : text.substring(0, slash);
    int unit = -1;
    for (int i = 0; i < UNITS.size() && unit < 0; i++) {
      boolean begins = UNITS.get(i).startsWith(slash < 0 ? "s" : text.substring(slash + 1));
      unit = begins && slash != text.length() - 1 ? i : -1;
    }
    long rate = count.matches("[0-9]{1,9}") ? Long.parseLong(count) : 0;
    if (rate == 0 || unit < 0) {
      throw options.error(
          "limit", "--limit takes NUMBER/second, /minute, /hour or /day, not \"" + text + "\"");
    }
    long average = SCALE * SECONDS[unit] / rate;
    if (average == 0) {
      throw options.error("limit", "--limit " + text + " is too fast; 10000/second is the most");
    }
    return average;
  }

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
    int unit = 3;
    while (unit > 0) {
      long scale = SCALE * SECONDS[unit - 1];
      if (average > scale || scale / average < scale % average) {
        break;
      }
      unit--;
    }
    out.append(" --limit ").append(SCALE * SECONDS[unit] / average).append('/');
    out.append(PRINTED[unit]);
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
