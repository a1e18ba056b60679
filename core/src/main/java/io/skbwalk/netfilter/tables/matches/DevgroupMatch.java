// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.device.NetDevice;
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

/**
 * Plays xt_devgroup: the groups of the interfaces that the packet came in and leaves by.
 *
 * @param source null when not asked
 * @param destination null when not asked
 */
public record DevgroupMatch(NamedValue source, NamedValue destination) implements StatelessMatch {
  private static final String SOURCE = "src-group";
  private static final String DESTINATION = "dst-group";
  private static final String ZERO = "default";
  private static final int HAVE_IN = Hook.PRE_ROUTING.bit | Hook.LOCAL_IN.bit | Hook.FORWARD.bit;
  private static final int HAVE_OUT = Hook.FORWARD.bit | Hook.LOCAL_OUT.bit | Hook.POST_ROUTING.bit;

  /** {@code -m devgroup}. */
  public static final MatchType TYPE =
      new MatchType(
          "devgroup",
          "Groups of the interfaces.",
          OptionSpec.value(SOURCE)
              .inverted()
              .about("Group of the incoming interface: a number, value/mask, or default.", "0x1"),
          OptionSpec.value(DESTINATION)
              .inverted()
              .about("Group of the outgoing interface, likewise.", "0x10/0xf0")) {
        @Override
        public Match parse(Options options, int protocol) {
          if (options.isEmpty()) {
            throw options.error("--src-group or --dst-group is needed");
          }
          return new DevgroupMatch(
              NamedValue.parse(options, SOURCE, ZERO),
              NamedValue.parse(options, DESTINATION, ZERO));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (source != null) {
      source.save(out);
    }
    if (destination != null) {
      destination.save(out);
    }
  }

  @Override
  public String refusal(RulePlace place) {
    if (source != null && place.isReachedOutside(HAVE_IN)) {
      return "--src-group is for PREROUTING, INPUT and FORWARD: elsewhere no incoming interface is"
          + " known";
    }
    if (destination != null && place.isReachedOutside(HAVE_OUT)) {
      return "--dst-group is for FORWARD, OUTPUT and POSTROUTING: elsewhere no outgoing interface"
          + " is known";
    }
    return null;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return isIn(source, context.in) && isIn(destination, context.out);
  }

  private static boolean isIn(NamedValue wanted, NetDevice device) {
    return wanted == null
        || (((wanted.value() ^ device.group) & wanted.mask()) == 0) != wanted.inverted();
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    NetDevice device = isIn(source, context.in) ? context.out : context.in;
    return device + " is in group " + Integer.toUnsignedString(device.group);
  }
}
