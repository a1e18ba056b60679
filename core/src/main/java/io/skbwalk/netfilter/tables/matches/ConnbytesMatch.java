// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.List;

/**
 * Plays xt_connbytes: how much a connection has carried, this packet included. A connection that
 * began while nf_conntrack_acct was off never matches.
 *
 * @param from smallest number that matches, without a sign; larger than {@code to} for what lies
 *     outside of both
 * @param to largest number, without a sign
 * @param mode of {@link #MODES}
 * @param direction of {@link #DIRECTIONS}
 */
public record ConnbytesMatch(long from, long to, int mode, int direction) implements Match {
  private static final List<String> MODES = List.of("packets", "bytes", "avgpkt");
  private static final List<String> DIRECTIONS = List.of("original", "reply", "both");
  private static final int PACKETS = 0;
  private static final int BYTES = 1;
  private static final long UNLIMITED = -1;

  /** {@code -m connbytes}. */
  public static final MatchType TYPE =
      new MatchType(
          "connbytes",
          "How many packets or bytes the connection has carried, or how large they are.",
          OptionSpec.value("connbytes")
              .inverted()
              .needed()
              .about("From so many on, or FROM:TO.", "1000000", "10:20"),
          OptionSpec.value("connbytes-mode")
              .needed()
              .about("What is counted: packets, bytes or avgpkt (bytes a packet).", "bytes"),
          OptionSpec.value("connbytes-dir")
              .needed()
              .about("Whose: original, reply or both.", "both")) {
        @Override
        public Match parse(Options options, int protocol) {
          Options.Range range = options.range64("connbytes");
          boolean open = options.text("connbytes").indexOf(':') < 0;
          long to = open ? UNLIMITED : range.high();
          if (Long.compareUnsigned(to, range.low()) < 0) {
            throw options.error("connbytes", "the range is upside down");
          }
          boolean inverted = options.inverted("connbytes");
          return new ConnbytesMatch(
              inverted ? to : range.low(),
              inverted ? range.low() : to,
              word(options, "connbytes-mode", MODES),
              word(options, "connbytes-dir", DIRECTIONS));
        }
      };

  /** Unlike most words of iptables, these are in lower case only. */
  private static int word(Options options, String name, List<String> words) {
    int index = words.indexOf(options.text(name));
    if (index < 0) {
      throw options.error(name, "--" + name + " takes " + String.join(", ", words));
    }
    return index;
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  private boolean isOutside() {
    return Long.compareUnsigned(from, to) > 0;
  }

  @Override
  public void save(StringBuilder out) {
    long low = isOutside() ? to : from;
    long high = isOutside() ? from : to;
    out.append(isOutside() ? " ! --connbytes " : " --connbytes ");
    out.append(Long.toUnsignedString(low));
    // 0:0 is printed as if it had no end.
    if (high != 0 && high != UNLIMITED) {
      out.append(':').append(Long.toUnsignedString(high));
    }
    out.append(" --connbytes-mode ").append(MODES.get(mode));
    out.append(" --connbytes-dir ").append(DIRECTIONS.get(direction));
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    // As Linux does when it loads the rule.
    environment.conntrack().enableAccounting();
    return new Evaluation(this, environment.conntrack());
  }

  private record Evaluation(ConnbytesMatch asked, Conntrack conntrack) implements PacketMatch {
    private long packets(int ct) {
      long original = conntrack.packets(ct, ConntrackInfo.ORIGINAL);
      long reply = conntrack.packets(ct, ConntrackInfo.REPLY);
      return asked.direction == 0 ? original : asked.direction == 1 ? reply : original + reply;
    }

    private long bytes(int ct) {
      long original = conntrack.bytes(ct, ConntrackInfo.ORIGINAL);
      long reply = conntrack.bytes(ct, ConntrackInfo.REPLY);
      return asked.direction == 0 ? original : asked.direction == 1 ? reply : original + reply;
    }

    private long carried(int ct) {
      if (asked.mode == PACKETS) {
        return packets(ct);
      }
      long bytes = bytes(ct);
      long packets = packets(ct);
      return asked.mode == BYTES ? bytes : packets == 0 ? 0 : bytes / packets;
    }

    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      return Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      if (skb.ct == 0 || !conntrack.accounted(skb.ct)) {
        return false;
      }
      long carried = carried(skb.ct);
      boolean below = Long.compareUnsigned(carried, asked.from) < 0;
      boolean above = Long.compareUnsigned(carried, asked.to) > 0;
      return asked.isOutside()
          ? Long.compareUnsigned(carried, asked.to) < 0
              || Long.compareUnsigned(carried, asked.from) > 0
          : !below && !above;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      if (skb.ct == 0) {
        return "no connection";
      }
      if (!conntrack.accounted(skb.ct)) {
        return "the connection began while nothing was counted (nf_conntrack_acct)";
      }
      String whose = asked.direction == 2 ? "both directions" : DIRECTIONS.get(asked.direction);
      return switch (asked.mode) {
        case PACKETS -> "packets of " + whose + " so far: " + carried(skb.ct);
        case BYTES -> "bytes of " + whose + " so far: " + carried(skb.ct);
        default -> "bytes a packet of " + whose + ": " + carried(skb.ct);
      };
    }
  }
}
