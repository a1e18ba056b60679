// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_IS_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.IP_CT_UNTRACKED;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.SkBuff;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A set of connection states, as {@code --ctstate} and {@code --state} ask for.
 *
 * @param states bits by index in {@link #NAMES}
 */
record ConnectionStates(int states, boolean inverted, Conntrack conntrack) implements PacketMatch {
  /** In the order in which iptables-save prints them. */
  private static final List<String> NAMES =
      List.of("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT");

  private static final int INVALID = 1;
  private static final int UNTRACKED = 1 << 4;
  private static final int SNAT = 1 << 5;
  private static final int DNAT = 1 << 6;

  /** By ctInfo without its direction: ESTABLISHED, RELATED, NEW. */
  private static final int[] OF_INFO = {1 << 3, 1 << 2, 1 << 1};

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

  private int of(SkBuff skb) {
    if (skb.ct == 0) {
      return skb.ctInfo == IP_CT_UNTRACKED ? UNTRACKED : INVALID;
    }
    int state = OF_INFO[skb.ctInfo % IP_CT_IS_REPLY];
    if ((states & (SNAT | DNAT)) != 0) {
      int status = conntrack.status(skb.ct);
      state |= (status & ConntrackStatus.IPS_SRC_NAT) != 0 ? SNAT : 0;
      state |= (status & ConntrackStatus.IPS_DST_NAT) != 0 ? DNAT : 0;
    }
    return state;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return ((states & of(skb)) != 0) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "state is " + text(of(skb));
  }
}
