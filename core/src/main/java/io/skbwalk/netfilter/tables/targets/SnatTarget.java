// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.nat.NatRange;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;

/** Plays xt_nat's SNAT: another source for the connection. */
public record SnatTarget(NatRange range) implements NatTarget {
  /** {@code -j SNAT}. */
  public static final TargetType TYPE =
      new TargetType(
          "SNAT",
          OptionSpec.value("to-source").needed(),
          OptionSpec.flag("random"),
          OptionSpec.flag("random-fully"),
          OptionSpec.flag("persistent")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new SnatTarget(
              NatRangeOptions.addressAndPorts(options, "to-source", false, protocol));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public String refusal(RulePlace place) {
    return NatRangeOptions.refusal(place, Hook.POST_ROUTING, Hook.LOCAL_IN);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    return context.environment.nat().setup(skb, context.hook, range, false);
  }
}
