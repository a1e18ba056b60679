// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_TEE: a copy of the packet, untracked, goes to a gateway; the packet goes on.
 *
 * @param device the interface that the copy leaves on, or empty
 */
public record TeeTarget(int gateway, String device) implements StatelessTarget {
  /** IFNAMSIZ without the terminating zero. */
  private static final int LONGEST_NAME = 15;

  /** {@code -j TEE}. */
  public static final TargetType TYPE =
      new TargetType(
          "TEE",
          "Sends a copy of the packet to a gateway, and goes on.",
          OptionSpec.value("gateway").needed().about("The machine that gets it.", "192.168.7.3"),
          OptionSpec.value("oif").about("The interface that the copy leaves on.", "eth1")) {
        @Override
        public Target parse(Options options, int protocol) {
          String device = options.has("oif") ? options.text("oif") : "";
          return new TeeTarget(
              options.host("gateway", options.text("gateway")),
              // iptables cuts a longer name, too.
              device.substring(0, Math.min(device.length(), LONGEST_NAME)));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --gateway ").append(Ip4.format(gateway));
    if (!device.isEmpty()) {
      out.append(" --oif ").append(device);
    }
  }

  @Override
  public String refusal(RulePlace place) {
    return gateway == 0 ? "0.0.0.0 is no gateway" : null;
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    context.environment.ipv4().duplicate(skb, context.hook, gateway, device);
    return CONTINUE;
  }
}
