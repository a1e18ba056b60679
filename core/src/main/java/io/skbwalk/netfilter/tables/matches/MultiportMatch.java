// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays xt_multiport: up to 15 ports, a range counting as two.
 *
 * @param side which port is looked at
 */
public record MultiportMatch(Side side, boolean inverted, List<Range> ranges) implements Match {
  /** Which port is looked at. */
  public enum Side {
    /** {@code --sports}. */
    SOURCE("sports"),
    /** {@code --dports}. */
    DESTINATION("dports"),
    /** {@code --ports}: one of both. */
    EITHER("ports");

    private final String option;

    Side(String option) {
      this.option = option;
    }
  }

  /** Ports from low to high. */
  public record Range(int low, int high) {}

  private static final int MOST = 15;

  /** {@code -m multiport}. */
  public static final MatchType TYPE =
      new MatchType(
          "multiport",
          "Several ports at once.",
          OptionSpec.value("sports", "source-ports")
              .inverted()
              .about("Up to 15 source ports and ranges.", "53,123"),
          OptionSpec.value("dports", "destination-ports")
              .inverted()
              .about("Up to 15 destination ports and ranges.", "80,443"),
          OptionSpec.value("ports")
              .inverted()
              .about(
                  "Up to 15 ports and ranges, of which the source or the destination is one.",
                  "53")) {
        @Override
        public Match parse(Options options, int protocol) {
          String option = options.oneOf(true, "sports", "dports", "ports");
          List<Range> ranges = new ArrayList<>();
          int count = 0;
          for (String part : options.list(option)) {
            int colon = part.indexOf(':');
            int low = options.port(option, colon < 0 ? part : part.substring(0, colon), protocol);
            int high = colon < 0 ? low : options.port(option, part.substring(colon + 1), protocol);
            if (colon >= 0 && low >= high) {
              throw options.error(option, "--" + option + ": " + part + " is no range");
            }
            ranges.add(new Range(low, high));
            count += colon < 0 ? 1 : 2;
          }
          if (count > MOST) {
            throw options.error(
                option, "--" + option + " takes at most 15 ports (a range counts as two)");
          }
          Side side =
              option.equals("sports")
                  ? Side.SOURCE
                  : option.equals("dports") ? Side.DESTINATION : Side.EITHER;
          return new MultiportMatch(side, options.inverted(option), ranges);
        }
      };

  /** Copies the list. */
  public MultiportMatch {
    ranges = List.copyOf(ranges);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --" : " --").append(side.option);
    char separator = ' ';
    for (Range range : ranges) {
      out.append(separator).append(range.low);
      if (range.high != range.low) {
        out.append(':').append(range.high);
      }
      separator = ',';
    }
  }

  @Override
  public String refusal(RulePlace place) {
    for (int protocol : new int[] {6, 17, 136, 132, 33}) {
      if (place.isProtocol(protocol)) {
        return null;
      }
    }
    return "needs -p tcp, udp, udplite, sctp or dccp";
  }

  @Override
  public PacketMatch bind(Environment environment) {
    int[] low = ranges.stream().mapToInt(Range::low).toArray();
    int[] high = ranges.stream().mapToInt(Range::high).toArray();
    return new Ports(side, inverted, low, high);
  }

  private record Ports(Side side, boolean inverted, int[] low, int[] high) implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      conditions.hasTransport();
      switch (side) {
        case SOURCE -> conditions.anyOf(PacketKey.SOURCE_PORT, null, low, high, inverted);
        case DESTINATION -> conditions.anyOf(PacketKey.DESTINATION_PORT, null, low, high, inverted);
        case EITHER ->
            conditions.anyOf(
                PacketKey.SOURCE_PORT, PacketKey.DESTINATION_PORT, low, high, inverted);
      }
      return Conditions.Beyond.NOTHING;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      if (context.fragmentOffset != 0) {
        return false;
      }
      int at = context.transport;
      if (skb.tail - at < 4) {
        context.hotdrop = true;
        return false;
      }
      boolean found =
          side != Side.DESTINATION && contains(skb.u16(at))
              || side != Side.SOURCE && contains(skb.u16(at + 2));
      return found != inverted;
    }

    private boolean contains(int port) {
      for (int i = 0; i < low.length; i++) {
        if (port >= low[i] && port <= high[i]) {
          return true;
        }
      }
      return false;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      int at = context.transport;
      if (context.fragmentOffset != 0) {
        return "a later fragment has no ports";
      }
      if (context.hotdrop) {
        return "truncated ports";
      }
      return switch (side) {
        case SOURCE -> "source port is " + skb.u16(at);
        case DESTINATION -> "destination port is " + skb.u16(at + 2);
        case EITHER -> "ports are " + skb.u16(at) + " and " + skb.u16(at + 2);
      };
    }
  }
}
