// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.ProcName;
import io.skbwalk.netfilter.tables.Quantity;
import io.skbwalk.netfilter.tables.RateEstimator;
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.skb.SkBuff;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Plays xt_rateest: compares the rate of an estimator (RATEEST) with a number or with another
 * estimator's.
 *
 * @param first name of an estimator
 * @param second name of another; null to compare with numbers
 * @param delta compare how much each rate lacks of a number
 * @param mode of {@link #MODES}; -1 for none, which Linux refuses
 * @param bytes compare bytes a second
 * @param packets compare packets a second
 */
public record RateestMatch(
    String first,
    String second,
    boolean delta,
    int mode,
    boolean inverted,
    boolean bytes,
    long bytes1,
    long bytes2,
    boolean packets,
    long packets1,
    long packets2)
    implements Match {
  private static final long U32 = 0xFFFFFFFFL;
  private static final int MOST_NAME = 15;
  private static final List<String> MODES = List.of("eq", "lt", "gt");
  private static final int EQ = 0;
  private static final int LT = 1;

  /** Bits a second. */
  private static final Map<String, Double> UNITS =
      Map.ofEntries(
          Map.entry("bit", 1.),
          Map.entry("kibit", 1024.),
          Map.entry("kbit", 1000.),
          Map.entry("mibit", 1024. * 1024.),
          Map.entry("mbit", 1e6),
          Map.entry("gibit", 1024. * 1024. * 1024.),
          Map.entry("gbit", 1e9),
          Map.entry("tibit", 1024. * 1024. * 1024. * 1024.),
          Map.entry("tbit", 1e12),
          Map.entry("bps", 8.),
          Map.entry("kibps", 8. * 1024.),
          Map.entry("kbps", 8000.),
          Map.entry("mibps", 8. * 1024. * 1024.),
          Map.entry("mbps", 8e6),
          Map.entry("gibps", 8. * 1024. * 1024. * 1024.),
          Map.entry("gbps", 8e9),
          Map.entry("tibps", 8. * 1024. * 1024. * 1024. * 1024.),
          Map.entry("tbps", 8e12));

  /** {@code -m rateest}. */
  public static final MatchType TYPE =
      new MatchType(
          "rateest",
          "Compares the rate that -j RATEEST has estimated.",
          OptionSpec.value("rateest1", "rateest").about("The estimator's name.", "uplink"),
          OptionSpec.value("rateest2").about("Another one to compare with.", "downlink"),
          OptionSpec.flag("rateest-delta").about("Compare what the rates lack of the numbers."),
          OptionSpec.optionalValue("rateest-bps1")
              .about("Bytes a second: from which the first rate is taken.", "1mbit"),
          OptionSpec.optionalValue("rateest-pps1")
              .about("Packets a second: from which the first rate is taken.", "100"),
          OptionSpec.optionalValue("rateest-bps2", "rateest-bps")
              .about("Bytes a second to compare with.", "1mbit"),
          OptionSpec.optionalValue("rateest-pps2", "rateest-pps")
              .about("Packets a second to compare with.", "100"),
          OptionSpec.flag("rateest-lt").inverted().about("Is the rate less?"),
          OptionSpec.flag("rateest-gt").inverted().about("Is the rate greater?"),
          OptionSpec.flag("rateest-eq").inverted().about("Are the rates the same?")) {
        @Override
        public Match parse(Options options, int protocol) {
          int mode = -1;
          boolean inverted = false;
          // Of several the last counts, but a ! before any.
          for (String name : options.names()) {
            int index = MODES.indexOf(name.replace("rateest-", ""));
            mode = index >= 0 ? index : mode;
            inverted |= index >= 0 && options.inverted(name);
          }
          return new RateestMatch(
              options.has("rateest1") ? ProcName.cut(options.text("rateest1"), MOST_NAME) : "",
              options.has("rateest2") ? ProcName.cut(options.text("rateest2"), MOST_NAME) : null,
              options.has("rateest-delta"),
              mode,
              inverted,
              options.has("rateest-bps1") || options.has("rateest-bps2"),
              rate(options, "rateest-bps1"),
              rate(options, "rateest-bps2"),
              options.has("rateest-pps1") || options.has("rateest-pps2"),
              packets(options, "rateest-pps1"),
              packets(options, "rateest-pps2"));
        }
      };

  private static long packets(Options options, String name) {
    return options.text(name) == null ? 0 : options.number(name, 0, U32, 0);
  }

  /** Bytes a second, in 32 bits. */
  private static long rate(Options options, String name) {
    String text = options.text(name);
    if (text == null) {
      return 0;
    }
    Quantity quantity = Quantity.parse(text);
    Double scale = null;
    if (quantity != null) {
      // Without a unit it is of bits, too.
      scale = quantity.unit().isEmpty() ? Double.valueOf(1) : UNITS.get(quantity.unit());
    }
    if (scale == null) {
      throw options.error(
          name, "--" + name + " takes a rate such as 1mbit or 100kbps, not \"" + text + "\"");
    }
    return (long) (quantity.number() * scale / 8) & U32;
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (delta) {
      out.append(" --rateest-delta");
    }
    out.append(second == null ? " --rateest " : " --rateest1 ").append(first);
    if (bytes) {
      save(out, "bps", text(bytes1), text(bytes2));
    }
    if (packets) {
      save(out, "pps", Long.toString(packets1), Long.toString(packets2));
    }
    if (second != null) {
      out.append(" --rateest2 ").append(second);
    }
  }

  private void save(StringBuilder out, String unit, String number1, String number2) {
    String comparison = (inverted ? " !" : "") + " --rateest-" + MODES.get(mode);
    if (delta) {
      out.append(" --rateest-").append(unit).append("1 ").append(number1).append(comparison);
      out.append(" --rateest-").append(unit).append('2');
    } else {
      out.append(comparison).append(" --rateest-").append(unit);
    }
    if (delta || second == null) {
      out.append(' ').append(number2);
    }
  }

  /** Plays rateest_print_rate: bits a second. */
  private static String text(long bytes) {
    double bits = bytes * 8.;
    if (bits >= 1e9) {
      return String.format(Locale.ROOT, "%.0fMbit", Math.rint(bits / 1e6));
    }
    return bits >= 1e6
        ? String.format(Locale.ROOT, "%.0fKbit", Math.rint(bits / 1e3))
        : String.format(Locale.ROOT, "%.0fbit", bits);
  }

  @Override
  public String refusal(RulePlace place) {
    if (mode < 0) {
      return "one of --rateest-lt, --rateest-gt, --rateest-eq is needed";
    }
    return bytes || packets ? null : "one of --rateest-bps, --rateest-pps is needed";
  }

  @Override
  public PacketMatch bind(Environment environment) {
    RateEstimator.All all = environment.perNet(RateEstimator.All.class, RateEstimator.All::new);
    RateEstimator one = take(all, first);
    RateEstimator other = null;
    if (second != null) {
      other = all.takeExisting(second);
      if (other == null) {
        release(all, first, one);
        take(all, second);
      }
    }
    return new Evaluation(this, all, one, other);
  }

  private static RateEstimator take(RateEstimator.All all, String name) {
    RateEstimator estimator = all.takeExisting(name);
    if (estimator == null) {
      throw new RefusedException(
          "there is no estimator \"" + name + "\": no rule before this one has -j RATEEST for it");
    }
    return estimator;
  }

  private static void release(RateEstimator.All all, String name, RateEstimator estimator) {
    if (all.release(name)) {
      estimator.destroy();
    }
  }

  private record Evaluation(
      RateestMatch asked, RateEstimator.All all, RateEstimator first, RateEstimator second)
      implements PacketMatch {
    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      boolean answer =
          (!asked.bytes || compare(bytes(first, asked.bytes1), bytes(second, asked.bytes2)))
              && (!asked.packets
                  || compare(packets(first, asked.packets1), packets(second, asked.packets2)));
      return answer != asked.inverted;
    }

    /** What is compared of an estimator, or the number in its place. */
    private long bytes(RateEstimator estimator, long number) {
      return estimator == null ? number : compared(estimator.bytesPerSecond(), number);
    }

    private long packets(RateEstimator estimator, long number) {
      return estimator == null ? number : compared(estimator.packetsPerSecond(), number);
    }

    private long compared(long rate, long number) {
      return asked.delta ? Math.max(0, number - rate) : rate;
    }

    private boolean compare(long one, long other) {
      return asked.mode == EQ ? one == other : asked.mode == LT ? one < other : one > other;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      StringBuilder out = new StringBuilder("compared ");
      if (asked.bytes) {
        out.append(bytes(first, asked.bytes1)).append(" bytes/s with ");
        out.append(bytes(second, asked.bytes2)).append(asked.packets ? ", " : "");
      }
      if (asked.packets) {
        out.append(packets(first, asked.packets1)).append(" packets/s with ");
        out.append(packets(second, asked.packets2));
      }
      return out.toString();
    }

    @Override
    public void destroy() {
      release(all, asked.first, first);
      if (second != null) {
        release(all, asked.second, second);
      }
    }
  }
}
