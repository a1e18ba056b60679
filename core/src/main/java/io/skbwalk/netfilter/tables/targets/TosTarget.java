// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.netfilter.tables.Tos;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/** Plays xt_DSCP's TOS target: the field loses the bits of {@code mask}, then is xored. */
public record TosTarget(int value, int mask) implements StatelessTarget {
  /** {@code -j TOS}. */
  public static final TargetType TYPE =
      new TargetType(
          "TOS",
          "Sets the type of service; table mangle.",
          OptionSpec.value("set-tos").about("A name, value or value/mask.", "Minimize-Delay"),
          OptionSpec.value("and-tos").about("Keep these bits only."),
          OptionSpec.value("or-tos").about("Set these bits."),
          OptionSpec.value("xor-tos").about("Flip these bits.")) {
        @Override
        public Target parse(Options options, int protocol) {
          String option = options.oneOf(true, "set-tos", "and-tos", "or-tos", "xor-tos");
          if (option.equals("set-tos")) {
            int tos = Tos.parse(options, option);
            return new TosTarget(tos >>> 8, tos & 0xFF);
          }
          int bits = (int) options.number(option, 0, 255, 0);
          return switch (option) {
            case "and-tos" -> new TosTarget(0, ~bits & 0xFF);
            case "or-tos" -> new TosTarget(bits, bits);
            default -> new TosTarget(bits, 0);
          };
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --set-tos ").append(Tos.text(value)).append('/').append(Tos.text(mask));
  }

  @Override
  public String refusal(RulePlace place) {
    return place.onlyIn(TableKind.MANGLE);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    int tos = IpHeader.tos(skb);
    int now = tos & ~mask ^ value;
    if (now != tos) {
      change(skb, now);
    }
    return CONTINUE;
  }

  /** Plays ipv4_change_dsfield, whose checksum arithmetic may leave 0xFFFF where RFC 1624 has 0. */
  static void change(SkBuff skb, int now) {
    int old = IpHeader.tos(skb);
    int sum = IpHeader.checksum(skb) + old;
    if (sum + 1 > 0xFFFF) {
      sum = sum + 1 & 0xFFFF;
    }
    sum -= now;
    sum += sum >>> 16;
    skb.setU16(skb.networkHeader + IpHeader.CHECKSUM_OFFSET, sum);
    skb.setU8(skb.networkHeader + IpHeader.TOS_OFFSET, now);
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Changed("tos", Tos.text(old), Tos.text(now)));
    }
  }
}
