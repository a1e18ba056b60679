// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.device.NetDevice;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.SkBuff;

/** Plays xt_mac: the Ethernet source address. */
public record MacMatch(long address, boolean inverted) implements StatelessMatch {
  /** {@code -m mac}. */
  public static final MatchType TYPE =
      new MatchType(
          "mac",
          "The sender's Ethernet address.",
          OptionSpec.value("mac-source")
              .inverted()
              .needed()
              .about("The address.", "02:00:00:00:00:fe")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new MacMatch(options.mac("mac-source"), options.inverted("mac-source"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --mac-source " : " --mac-source ").append(Mac.format(address));
  }

  @Override
  public String refusal(RulePlace place) {
    return place.isReachedOutside(Hook.PRE_ROUTING.bit | Hook.LOCAL_IN.bit | Hook.FORWARD.bit)
        ? "packets have a source address in PREROUTING, INPUT and FORWARD only"
        : null;
  }

  private static boolean hasAddress(SkBuff skb) {
    NetDevice device = NetDevice.of(skb);
    return device != null
        && !device.isLoopback()
        && skb.macHeader >= 0
        && skb.macHeader + EthernetHeader.LENGTH <= skb.data;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return hasAddress(skb) && (EthernetHeader.source(skb, skb.macHeader) == address) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return hasAddress(skb)
        ? "Ethernet source is " + Mac.format(EthernetHeader.source(skb, skb.macHeader))
        : "no Ethernet header";
  }
}
