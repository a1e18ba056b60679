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

/** Plays xt_REDIRECT: this machine as the connection's destination. */
public record RedirectTarget(NatRange range) implements NatTarget {
  /** {@code -j REDIRECT}. */
  public static final TargetType TYPE =
      new TargetType(
          "REDIRECT",
          "To this machine itself; table nat, PREROUTING and OUTPUT.",
          OptionSpec.value("to-ports").about("PORT[-PORT].", "8080"),
          OptionSpec.flag("random").about("Choose the port at random.")) {
        @Override
        public Target parse(Options options, int protocol) {
          NatRange range = NatRangeOptions.ports(options, "to-ports", protocol);
          if (range.has(NatRange.PROTO_OFFSET)) {
            throw options.error("to-ports", "--to-ports: /BASE is for DNAT only");
          }
          return new RedirectTarget(range);
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
    return context.environment.nat().redirect(skb, context.hook, range, context.in);
  }
}
