// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_ipcomp: the compression parameter index of a compressed payload (RFC 3173).
 *
 * @param reserved {@code --compres}, which the kernel has never looked at
 */
public record IpcompMatch(SpiRange cpis, boolean reserved) implements StatelessMatch {
  private static final int LENGTH = 4;
  private static final int CPI_OFFSET = 2;

  /** Without {@code --ipcompspi} it is index 0, not any: iptables leaves the range zeroed. */
  private static final SpiRange ZERO = new SpiRange(0, 0, false);

  /** {@code -m ipcomp}. */
  public static final MatchType TYPE =
      new MatchType(
          "ipcomp",
          "The compression parameter index of a compressed payload (RFC 3173); needs protocol:"
              + " ipcomp.",
          IpHeader.IPPROTO_COMP,
          OptionSpec.value("ipcompspi")
              .inverted()
              .about("Compression parameter index, or a range of them; 0 without it.", "2", "1:9"),
          OptionSpec.flag("compres").about("Printed back; asks nothing.")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new IpcompMatch(
              SpiRange.parse(options, "ipcompspi", ZERO), options.has("compres"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    cpis.save(out, "--ipcompspi");
    out.append(reserved ? " --compres" : "");
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return false;
    }
    if (skb.tail - context.transport < LENGTH) {
      context.hotdrop = true;
      return false;
    }
    return cpis.matches(skb.u16(context.transport + CPI_OFFSET));
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return "a later fragment has no IPComp header";
    }
    return context.hotdrop
        ? "truncated IPComp header"
        : "CPI is " + skb.u16(context.transport + CPI_OFFSET);
  }
}
