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

/** Plays xt_MASQUERADE: the outgoing interface's address as the connection's source. */
public record MasqueradeTarget(NatRange range) implements NatTarget {
  /** {@code -j MASQUERADE}. */
  public static final TargetType TYPE =
      new TargetType(
          "MASQUERADE",
          "The outgoing interface's address as source; table nat, POSTROUTING.",
          OptionSpec.value("to-ports").about("PORT[-PORT]."),
          OptionSpec.flag("random").about("Choose the port at random."),
          OptionSpec.flag("random-fully").about("Choose the port at random in every case.")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new MasqueradeTarget(
              NatRangeOptions.withoutBase(NatRangeOptions.ports(options, "to-ports", protocol)));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public String refusal(RulePlace place) {
    return NatRangeOptions.refusal(place, Hook.POST_ROUTING, Hook.POST_ROUTING);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    return context.environment.nat().masquerade(skb, context.hook, range, context.out);
  }
}
