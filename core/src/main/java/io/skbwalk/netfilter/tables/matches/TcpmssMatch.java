// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/** Plays xt_tcpmss: the value of TCP's maximum segment size option. */
public record TcpmssMatch(int low, int high, boolean inverted) implements StatelessMatch {
  private static final int NO_OPTION = -1;
  private static final int MALFORMED = -2;

  /** {@code -m tcpmss}. */
  public static final MatchType TYPE =
      new MatchType(
          "tcpmss",
          "TCP's maximum segment size option; needs protocol: tcp.",
          OptionSpec.value("mss")
              .inverted()
              .needed()
              .about("Its value in bytes, or a range.", "1460", "536:1400")) {
        @Override
        public Match parse(Options options, int protocol) {
          long range = options.range("mss", 0xFFFF);
          int low = (int) (range >>> 32);
          int high = (int) range;
          if (low > high) {
            throw options.error(
                "mss", "--mss " + options.text("mss") + ": the range is upside down");
          }
          return new TcpmssMatch(low, high, options.inverted("mss"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --mss " : " --mss ").append(low);
    if (low != high) {
      out.append(':').append(high);
    }
  }

  @Override
  public String refusal(RulePlace place) {
    return place.isProtocol(IpHeader.IPPROTO_TCP) ? null : "needs -p tcp";
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    int mss = mss(skb, context.transport);
    if (mss == MALFORMED) {
      context.hotdrop = true;
      return false;
    }
    return (mss >= low && mss <= high) != inverted;
  }

  /** The option's value. A later fragment is not told apart: its payload is read as a header. */
  private static int mss(SkBuff skb, int tcp) {
    if (skb.tail - tcp < TcpHeader.MIN_LENGTH) {
      return MALFORMED;
    }
    int length = TcpHeader.headerLength(skb, tcp);
    if (length < TcpHeader.MIN_LENGTH || length > TcpHeader.MIN_LENGTH && skb.tail - tcp < length) {
      return MALFORMED;
    }
    int end = tcp + length;
    for (int at = tcp + TcpHeader.MIN_LENGTH; at < end; ) {
      if (skb.u8(at) == TcpHeader.OPTION_MSS
          && end - at >= TcpHeader.OPTION_MSS_LENGTH
          && skb.u8(at + 1) == TcpHeader.OPTION_MSS_LENGTH) {
        return skb.u16(at + 2);
      }
      at = TcpHeader.nextOption(skb, at, end);
    }
    return NO_OPTION;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    int mss = mss(skb, context.transport);
    return switch (mss) {
      case MALFORMED -> "malformed or truncated TCP header";
      case NO_OPTION -> "no maximum segment size option";
      default -> "maximum segment size is " + mss;
    };
  }
}
