// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketTarget;
import io.skbwalk.netfilter.tables.ProcName;
import io.skbwalk.netfilter.tables.Quantity;
import io.skbwalk.netfilter.tables.RateEstimator;
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import java.util.Locale;

/**
 * Plays xt_RATEEST: counts packets for an estimator, whose rate {@code -m rateest} asks.
 *
 * @param intervalLog intervals are 250 ms times 2 to this
 * @param ewmaLog the last interval weighs 1 in 2 to this
 */
public record RateestTarget(String name, int intervalLog, int ewmaLog) implements Target {
  private static final int SECOND = 1_000_000;
  private static final int LONGEST = 5;
  private static final int MOST_NAME = 15;

  /** {@code -j RATEEST}. */
  public static final TargetType TYPE =
      new TargetType(
          "RATEEST",
          "Counts packets for a rate estimator, which -m rateest asks.",
          OptionSpec.value("rateest-name").needed().about("The estimator's name.", "uplink"),
          OptionSpec.value("rateest-interval")
              .needed()
              .about("How often it measures: 250ms to 8s.", "1s"),
          OptionSpec.value("rateest-ewmalog")
              .needed()
              .about("Over what time it averages, longer than the interval.", "4s")) {
        @Override
        public Target parse(Options options, int protocol) {
          long interval = time(options, "rateest-interval");
          int intervalLog = 0;
          while (intervalLog <= LONGEST && interval > (1L << intervalLog) * (SECOND / 4)) {
            intervalLog++;
          }
          if (intervalLog > LONGEST) {
            throw options.error("rateest-interval", "--rateest-interval takes at most 8s");
          }
          int ewmaLog = ewmaLog(interval, time(options, "rateest-ewmalog"));
          if (ewmaLog == 0 || ewmaLog >= 31) {
            throw options.error(
                "rateest-ewmalog",
                "--rateest-ewmalog "
                    + options.text("rateest-ewmalog")
                    + " does not suit the interval");
          }
          String name = ProcName.cut(options.text("rateest-name"), MOST_NAME);
          return new RateestTarget(name, intervalLog, ewmaLog);
        }
      };

  /** The weight whose time constant comes next below {@code wanted} microseconds. */
  private static int ewmaLog(long interval, long wanted) {
    int log = 1;
    while (log < 32) {
      // The shift is the C program's, in 32 bits with a sign.
      double rest = 1.0 - 1.0 / (1 << log);
      if (interval / -Math.log(rest) > wanted) {
        break;
      }
      log++;
    }
    return log - 1;
  }

  /** A time in microseconds, in 32 bits; without a unit it is of those. */
  private static long time(Options options, String option) {
    Quantity quantity = Quantity.parse(options.text(option));
    double time = quantity == null ? Double.NaN : quantity.number();
    if (quantity != null) {
      time *=
          switch (quantity.unit()) {
            case "s", "sec", "secs" -> SECOND;
            case "ms", "msec", "msecs" -> SECOND / 1000;
            case "", "us", "usec", "usecs" -> 1;
            default -> Double.NaN;
          };
    }
    if (Double.isNaN(time)) {
      throw options.error(
          option,
          "--"
              + option
              + " takes a time such as 250ms or 2s, not \""
              + options.text(option)
              + "\"");
    }
    return (long) time & 0xFFFFFFFFL;
  }

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    int interval = SECOND / 4 << intervalLog;
    out.append(" --rateest-name ").append(name).append(" --rateest-interval");
    save(out, interval);
    out.append(" --rateest-ewmalog");
    // In 32 bits, as iptables-save multiplies.
    save(out, (long) (interval << ewmaLog) & 0xFFFFFFFFL);
  }

  private static void save(StringBuilder out, long time) {
    if (time >= SECOND) {
      out.append(String.format(Locale.ROOT, " %.1fs", (double) time / SECOND));
    } else if (time >= SECOND / 1000) {
      out.append(String.format(Locale.ROOT, " %.1fms", (double) time / (SECOND / 1000)));
    } else {
      out.append(' ').append(time).append("us");
    }
  }

  @Override
  public PacketTarget bind(Environment environment) {
    RateEstimator.All all = environment.perNet(RateEstimator.All.class, RateEstimator.All::new);
    RateEstimator there = all.find(name);
    if (there != null && !there.isLike(intervalLog, ewmaLog)) {
      throw new RefusedException(
          "the estimator " + name + " is there already with another interval or ewmalog");
    }
    return new Counting(
        this,
        all,
        all.take(
            name,
            () ->
                new RateEstimator(
                    intervalLog, ewmaLog, environment.net().clock, environment.net().timers)));
  }

  private record Counting(RateestTarget asked, RateEstimator.All all, RateEstimator estimator)
      implements PacketTarget {
    @Override
    public int target(SkBuff skb, PacketContext context) {
      estimator.count(skb.length());
      return CONTINUE;
    }

    @Override
    public void destroy() {
      if (all.release(asked.name)) {
        estimator.destroy();
      }
    }
  }
}
