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

/** Plays ipt_ah: the security parameter index of an authentication header (RFC 4302). */
public record AhMatch(SpiRange spis) implements StatelessMatch {
  private static final int LENGTH = 12;
  private static final int SPI_OFFSET = 4;

  /** {@code -m ah}. */
  public static final MatchType TYPE =
      new MatchType(
          "ah",
          "The security parameter index of an authentication header (RFC 4302); needs protocol: ah.",
          IpHeader.IPPROTO_AH,
          OptionSpec.value("ahspi")
              .inverted()
              .about("Security parameter index, or a range of them.", "0x100", "256:511")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new AhMatch(SpiRange.parse(options, "ahspi", SpiRange.ANY));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    spis.save(out, "--ahspi");
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
    return spis.matches(spi(skb, context));
  }

  private static long spi(SkBuff skb, PacketContext context) {
    return skb.u32(context.transport + SPI_OFFSET) & 0xFFFFFFFFL;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return "a later fragment has no AH header";
    }
    return context.hotdrop ? "truncated AH header" : "SPI is " + spi(skb, context);
  }
}
