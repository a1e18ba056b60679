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

/** Plays xt_nat's DNAT: another destination for the connection. */
public record DnatTarget(NatRange range) implements NatTarget {
  /** {@code -j DNAT}. */
  public static final TargetType TYPE =
      new TargetType(
          "DNAT",
          "Another destination; table nat, PREROUTING and OUTPUT.",
          OptionSpec.value("to-destination")
              .needed()
              .about(
                  "[ADDRESS[-ADDRESS]][:PORT[-PORT[/BASE]]]; with a base, port BASE becomes the first one, BASE + 1 the next.",
                  "192.168.7.80:80"),
          OptionSpec.flag("random").about("Choose the port at random."),
          OptionSpec.flag("persistent").about("The same address for the same client.")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new DnatTarget(
              NatRangeOptions.addressAndPorts(options, "to-destination", protocol));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public String refusal(RulePlace place) {
    return NatRangeOptions.refusal(place, Hook.PRE_ROUTING, Hook.LOCAL_OUT);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    return context.environment.nat().setup(skb, context.hook, range, true);
  }
}
