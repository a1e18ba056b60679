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
          "Another source; table nat, POSTROUTING and INPUT.",
          OptionSpec.value("to-source")
              .needed()
              .about("[ADDRESS[-ADDRESS]][:PORT[-PORT]].", "203.0.113.1"),
          OptionSpec.flag("random").about("Choose the port at random."),
          OptionSpec.flag("random-fully").about("Choose the port at random in every case."),
          OptionSpec.flag("persistent").about("The same address for the same client.")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new SnatTarget(
              NatRangeOptions.withoutBase(
                  NatRangeOptions.addressAndPorts(options, "to-source", protocol)));
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
