// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.netfilter.tables.index.PacketKeys;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A set of connection states, as {@code --ctstate} and {@code --state} ask for.
 *
 * @param states {@link PacketKeys}' bits, by index in {@link #NAMES}
 */
record ConnectionStates(int states, boolean inverted, Conntrack conntrack) implements PacketMatch {
  /** In the order in which iptables-save prints them. */
  private static final List<String> NAMES =
      List.of("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT");

  private static final int NAT = PacketKeys.SNAT | PacketKeys.DNAT;

  /** Reads a list; each name may be shortened. */
  static int parse(Options options, String option, boolean nat) {
    int states = 0;
    List<String> names = nat ? NAMES : NAMES.subList(0, 5);
    for (String part : options.list(option)) {
      int found = -1;
      for (int i = 0; i < names.size(); i++) {
        if (names.get(i).startsWith(part.toUpperCase(Locale.ROOT))) {
          found = i;
          break;
        }
      }
      if (found < 0) {
        throw options.error(
            option,
            "--" + option + " takes " + String.join(", ", names) + ", not \"" + part + "\"");
      }
      states |= 1 << found;
    }
    return states;
  }

  static String text(int states) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < NAMES.size(); i++) {
      if ((states & 1 << i) != 0) {
        names.add(NAMES.get(i));
      }
    }
    return String.join(",", names);
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    conditions.masked(PacketKey.STATE, 0, states, !inverted);
    return Conditions.Beyond.NOTHING;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return ((states & PacketKeys.state(skb, conntrack)) != 0) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    int state = PacketKeys.state(skb, conntrack);
    int asked = (states & NAT) != 0 ? state : state & ~NAT;
    return "state is " + text(asked);
  }
}
