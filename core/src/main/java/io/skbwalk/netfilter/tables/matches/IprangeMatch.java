// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
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

/** Plays xt_iprange: addresses from one to another; null ranges ask nothing. */
public record IprangeMatch(Range source, Range destination) implements StatelessMatch {
  /** Addresses from low to high. */
  public record Range(int low, int high, boolean inverted) {
    boolean matches(int address) {
      boolean in =
          Integer.compareUnsigned(address, low) >= 0 && Integer.compareUnsigned(address, high) <= 0;
      return in != inverted;
    }

    void save(StringBuilder out, String option) {
      out.append(inverted ? " ! --" : " --").append(option).append(' ');
      out.append(Ip4.format(low)).append('-').append(Ip4.format(high));
    }
  }

  /** {@code -m iprange}. */
  public static final MatchType TYPE =
      new MatchType(
          "iprange",
          "Addresses from one to another.",
          OptionSpec.value("src-range")
              .inverted()
              .about("Source address from-to.", "192.0.2.1-192.0.2.9"),
          OptionSpec.value("dst-range").inverted().about("Destination address from-to.")) {
        @Override
        public Match parse(Options options, int protocol) {
          if (options.isEmpty()) {
            throw options.error("--src-range or --dst-range is needed");
          }
          return new IprangeMatch(range(options, "src-range"), range(options, "dst-range"));
        }
      };

  private static Range range(Options options, String option) {
    if (!options.has(option)) {
      return null;
    }
    String text = options.text(option);
    int dash = text.indexOf('-');
    int low = options.address(option, dash < 0 ? text : text.substring(0, dash));
    int high = dash < 0 ? low : options.address(option, text.substring(dash + 1));
    return new Range(low, high, options.inverted(option));
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (source != null) {
      source.save(out, "src-range");
    }
    if (destination != null) {
      destination.save(out, "dst-range");
    }
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    if (source != null) {
      conditions.range(PacketKey.SOURCE, source.low, source.high, source.inverted);
    }
    if (destination != null) {
      conditions.range(
          PacketKey.DESTINATION, destination.low, destination.high, destination.inverted);
    }
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return (source == null || source.matches(IpHeader.source(skb)))
        && (destination == null || destination.matches(IpHeader.destination(skb)));
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return source != null && !source.matches(IpHeader.source(skb))
        ? "source is " + Ip4.format(IpHeader.source(skb))
        : "destination is " + Ip4.format(IpHeader.destination(skb));
  }
}
