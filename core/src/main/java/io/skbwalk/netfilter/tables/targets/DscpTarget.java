// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.Dscp;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/** Plays xt_DSCP's DSCP target: sets the upper six bits of the type of service. */
public record DscpTarget(int dscp) implements StatelessTarget {
  /** {@code -j DSCP}. */
  public static final TargetType TYPE =
      new TargetType(
          "DSCP",
          "Sets the differentiated services code point; table mangle.",
          OptionSpec.value("set-dscp").about("A number from 0 to 63."),
          OptionSpec.value("set-dscp-class").about("BE, EF, AFxy or CSx.", "EF")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new DscpTarget(
              Dscp.parse(options, options.oneOf(true, "set-dscp", "set-dscp-class")));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --set-dscp ").append(Dscp.text(dscp));
  }

  @Override
  public String refusal(RulePlace place) {
    return place.onlyIn(TableKind.MANGLE);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    int tos = IpHeader.tos(skb);
    if (tos >>> 2 != dscp) {
      TosTarget.change(skb, tos & 3 | dscp << 2);
    }
    return CONTINUE;
  }
}
