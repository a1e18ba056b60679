// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays xt_physdev on a machine without a bridge: no packet came in or leaves by a bridge's port,
 * so that it matches where each option is inverted, and nowhere else.
 *
 * @param asked in the order in which iptables-save prints them
 */
public record PhysdevMatch(List<Port> asked) implements StatelessMatch {
  /**
   * One option.
   *
   * @param name the port's, as written; null for an option without value
   */
  public record Port(String option, String name, boolean inverted) {}

  private static final String IS_IN = "physdev-is-in";
  private static final String IN = "physdev-in";
  private static final String IS_OUT = "physdev-is-out";
  private static final String OUT = "physdev-out";
  private static final String IS_BRIDGED = "physdev-is-bridged";
  private static final List<String> PRINTED = List.of(IS_IN, IN, IS_OUT, OUT, IS_BRIDGED);

  /** IFNAMSIZ without the end of the string. */
  private static final int LONGEST_NAME = 15;

  /** {@code -m physdev}. */
  public static final MatchType TYPE =
      new MatchType(
          "physdev",
          "Port of a bridge that the packet came in or leaves by; there is no bridge here.",
          OptionSpec.value(IN).inverted().about("Came in by this port.", "eth0"),
          OptionSpec.value(OUT).inverted().about("Leaves by this port.", "eth1"),
          OptionSpec.flag(IS_IN).inverted().about("Came in by a bridge's port."),
          OptionSpec.flag(IS_OUT).inverted().about("Leaves by a bridge's port."),
          OptionSpec.flag(IS_BRIDGED).inverted().about("Bridged, not routed.")) {
        @Override
        public Match parse(Options options, int protocol) {
          if (options.isEmpty()) {
            throw options.error("one of its options is needed");
          }
          List<Port> asked = new ArrayList<>();
          for (String option : PRINTED) {
            if (options.has(option)) {
              boolean named = option.equals(IN) || option.equals(OUT);
              String name = named ? options.string(option, 0, LONGEST_NAME) : null;
              asked.add(new Port(option, name, options.inverted(option)));
            }
          }
          return new PhysdevMatch(asked);
        }
      };

  /** Copies the list. */
  public PhysdevMatch {
    asked = List.copyOf(asked);
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    for (Port port : asked) {
      out.append(port.inverted ? " ! --" : " --").append(port.option);
      if (port.name != null) {
        out.append(' ').append(port.name);
      }
    }
  }

  @Override
  public String refusal(RulePlace place) {
    boolean leaves = false;
    boolean bridged = false;
    for (Port port : asked) {
      leaves |= port.option.equals(OUT) || port.option.equals(IS_OUT);
      bridged |= port.option.equals(IS_BRIDGED) && !port.inverted;
    }
    return leaves && !bridged && (place.hooks() & Hook.LOCAL_OUT.bit) != 0
        ? "--physdev-out and --physdev-is-out are not for OUTPUT without --physdev-is-bridged"
        : null;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    for (int i = 0; i < asked.size(); i++) {
      if (!asked.get(i).inverted) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "the packet crosses no bridge";
  }
}
