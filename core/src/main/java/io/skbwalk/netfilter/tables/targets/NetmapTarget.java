// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.nat.NatRange;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_NETMAP: the leading bits of an address become those of a network, the others stay. In
 * PREROUTING and OUTPUT that is the destination, in INPUT and POSTROUTING the source.
 */
public record NetmapTarget(NatRange range) implements NatTarget {
  /** {@code -j NETMAP}. */
  public static final TargetType TYPE =
      new TargetType(
          "NETMAP",
          "Maps a network of addresses onto another, address for address; table nat.",
          OptionSpec.value("to").needed().about("The network: address[/mask].", "10.5.0.0/16")) {
        @Override
        public Target parse(Options options, int protocol) {
          long network = options.hostAndMask("to");
          int mask = (int) network;
          int first = (int) (network >>> 32) & mask;
          return new NetmapTarget(new NatRange(NatRange.MAP_IPS, first, first | ~mask, 0, 0, 0));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    int hostBits = range.minAddress() ^ range.maxAddress();
    out.append(" --to ").append(Ip4.format(range.minAddress()));
    out.append('/').append(Integer.numberOfLeadingZeros(hostBits));
  }

  @Override
  public String refusal(RulePlace place) {
    return place.onlyIn(TableKind.NAT);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    return context.environment.nat().netmap(skb, context.hook, range);
  }
}
