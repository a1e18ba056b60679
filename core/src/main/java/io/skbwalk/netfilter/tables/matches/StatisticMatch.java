// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.kernel.Prandom;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.SkBuff;
import java.util.Locale;

/**
 * Plays xt_statistic: every n-th packet, or packets at random.
 *
 * @param every for mode nth, from 1; 0 for mode random
 * @param packet which of {@code every} packets, from 0
 * @param probability of 0x80000000, for mode random
 */
public record StatisticMatch(long every, long packet, long probability, boolean inverted)
    implements Match {
  private static final double WHOLE = 0x80000000L;

  /** {@code -m statistic}. */
  public static final MatchType TYPE =
      new MatchType(
          "statistic",
          "Some packets, by chance or by turns.",
          OptionSpec.value("mode").needed().about("random or nth.", "random", "nth"),
          OptionSpec.value("probability")
              .inverted()
              .about("Chance from 0 to 1, with mode random.", "0.5"),
          OptionSpec.value("every").inverted().about("One in so many, with mode nth.", "10"),
          OptionSpec.value("packet").about("Which of them, from 0.", "0")) {
        @Override
        public Match parse(Options options, int protocol) {
          return switch (options.text("mode")) {
            case "random" -> random(options);
            case "nth" -> nth(options);
            default -> throw options.error("mode", "--mode takes random or nth");
          };
        }
      };

  private static Match random(Options options) {
    if (!options.has("probability") || options.has("every") || options.has("packet")) {
      throw options.error("--mode random takes --probability, and nothing else");
    }
    double probability = options.decimal("probability", 0, 1);
    return new StatisticMatch(
        0, 0, Math.round(probability * WHOLE), options.inverted("probability"));
  }

  private static Match nth(Options options) {
    if (!options.has("every") || !options.has("packet") || options.has("probability")) {
      throw options.error("--mode nth takes --every and --packet, and nothing else");
    }
    long every = options.number("every", 1, 0xFFFFFFFFL, 1);
    return new StatisticMatch(
        every, options.number("packet", 0, every - 1, 0), 0, options.inverted("every"));
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (every == 0) {
      out.append(" --mode random").append(inverted ? " ! --probability " : " --probability ");
      out.append(String.format(Locale.ROOT, "%.11f", probability / WHOLE));
    } else {
      out.append(" --mode nth").append(inverted ? " ! --every " : " --every ").append(every);
      out.append(" --packet ").append(packet);
    }
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return every == 0
        ? new Chance(probability, inverted, environment.net().random)
        : new Nth(every - 1, every - 1 - packet, inverted);
  }

  private record Chance(long probability, boolean inverted, Prandom random) implements PacketMatch {
    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      return ((random.nextInt() & 0x7FFFFFFF) < probability) != inverted;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return "chance says no";
    }
  }

  private static final class Nth implements PacketMatch {
    private final long last;
    private final boolean inverted;
    private long count;

    Nth(long last, long count, boolean inverted) {
      this.last = last;
      this.count = count;
      this.inverted = inverted;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      count = count == last ? 0 : count + 1;
      return (count == 0) != inverted;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      return "packet " + count + " of " + (last + 1) + " since it matched";
    }
  }
}
