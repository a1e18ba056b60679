// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;

/** Plays xt_TRACE: from here on every rule that the packet matches writes a line. */
public record TraceTarget() implements StatelessTarget {
  /** {@code -j TRACE}. */
  public static final TargetType TYPE =
      new TargetType("TRACE", "Follows the packet through all rules; table raw.") {
        @Override
        public Target parse(Options options, int protocol) {
          return new TraceTarget();
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
    skb.nfTrace = true;
    return CONTINUE;
  }
}
