// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/** Plays xt_CT's NOTRACK target: the packet is not tracked. */
public record NotrackTarget() implements StatelessTarget {
  /** {@code -j NOTRACK}. */
  public static final TargetType TYPE =
      new TargetType("NOTRACK", "Not tracked; table raw.") {
        @Override
        public Target parse(Options options, int protocol) {
          return new NotrackTarget();
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {}

  @Override
  public String refusal(RulePlace place) {
    return place.onlyIn(TableKind.RAW);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    untrack(skb);
    return CONTINUE;
  }

  /** Untracks a packet that nothing has been decided about. */
  static void untrack(SkBuff skb) {
    if (skb.ct == 0 && skb.ctInfo == 0) {
      skb.ctInfo = ConntrackInfo.IP_CT_UNTRACKED;
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Changed("ctstate", "INVALID", "UNTRACKED"));
      }
    }
  }
}
