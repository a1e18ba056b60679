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

/**
 * Plays xt_ecn: explicit congestion notification in the IP and TCP headers (RFC 3168).
 *
 * @param ect the two bits of the IP header, -1 when not asked
 */
public record EcnMatch(Bit cwr, Bit ece, int ect, boolean notEct) implements StatelessMatch {
  /** What is asked of one bit of the TCP header. */
  public enum Bit {
    /** Nothing. */
    ANY,
    /** It is set. */
    SET,
    /** It is not set. */
    CLEAR;

    private static Bit parse(Options options, String option) {
      return !options.has(option) ? ANY : options.inverted(option) ? CLEAR : SET;
    }

    private boolean accepts(boolean set) {
      return this == ANY || set == (this == SET);
    }

    private void save(StringBuilder out, String option) {
      if (this != ANY) {
        out.append(this == CLEAR ? " ! --" : " --").append(option);
      }
    }
  }

  private static final int ECN_MASK = 3;

  /** {@code -m ecn}. */
  public static final MatchType TYPE =
      new MatchType(
          "ecn",
          "Explicit congestion notification in the IP and TCP headers.",
          OptionSpec.flag("ecn-tcp-cwr")
              .inverted()
              .about("TCP's CWR bit is set; needs protocol: tcp."),
          OptionSpec.flag("ecn-tcp-ece")
              .inverted()
              .about("TCP's ECE bit is set; needs protocol: tcp."),
          OptionSpec.value("ecn-ip-ect")
              .inverted()
              .about("The two ECN bits of the IP header: 0 to 3.", "3")) {
        @Override
        public Match parse(Options options, int protocol) {
          if (options.isEmpty()) {
            throw options.error("--ecn-tcp-cwr, --ecn-tcp-ece or --ecn-ip-ect is needed");
          }
          return new EcnMatch(
              Bit.parse(options, "ecn-tcp-cwr"),
              Bit.parse(options, "ecn-tcp-ece"),
              (int) options.number("ecn-ip-ect", 0, ECN_MASK, -1),
              options.inverted("ecn-ip-ect"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    ece.save(out, "ecn-tcp-ece");
    cwr.save(out, "ecn-tcp-cwr");
    if (ect >= 0) {
      out.append(notEct ? " ! --ecn-ip-ect " : " --ecn-ip-ect ").append(ect);
    }
  }

  private boolean asksTcp() {
    return cwr != Bit.ANY || ece != Bit.ANY;
  }

  @Override
  public String refusal(RulePlace place) {
    return asksTcp() && !place.isProtocol(IpHeader.IPPROTO_TCP)
        ? "--ecn-tcp-cwr and --ecn-tcp-ece need -p tcp"
        : null;
  }

  private boolean ectMatches(SkBuff skb) {
    return ect < 0 || ((IpHeader.tos(skb) & ECN_MASK) == ect) != notEct;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    if (!ectMatches(skb)) {
      return false;
    }
    if (!asksTcp()) {
      return true;
    }
    // A later fragment is not told apart: its payload is read as if it were the TCP header.
    if (skb.tail - context.transport < TcpHeader.MIN_LENGTH) {
      return false;
    }
    int flags = TcpHeader.flags(skb, context.transport);
    return ece.accepts((flags & TcpHeader.ECE) != 0) && cwr.accepts((flags & TcpHeader.CWR) != 0);
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    if (!ectMatches(skb)) {
      return "the IP header's ECN bits are " + (IpHeader.tos(skb) & ECN_MASK);
    }
    if (skb.tail - context.transport < TcpHeader.MIN_LENGTH) {
      return "truncated TCP header";
    }
    int flags = TcpHeader.flags(skb, context.transport);
    boolean eceFits = ece.accepts((flags & TcpHeader.ECE) != 0);
    return (eceFits ? "CWR" : "ECE")
        + " is "
        + ((flags & (eceFits ? TcpHeader.CWR : TcpHeader.ECE)) != 0 ? "set" : "not set");
  }
}
