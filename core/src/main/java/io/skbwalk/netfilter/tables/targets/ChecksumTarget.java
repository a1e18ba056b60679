// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_CHECKSUM: fills in the transport checksum that was left to the device. Here it has been
 * in its place from the beginning, so what remains is that nobody counts on the device any more.
 */
public record ChecksumTarget() implements StatelessTarget {
  /** {@code -j CHECKSUM}. */
  public static final TargetType TYPE =
      new TargetType(
          "CHECKSUM",
          "Fills in a checksum that was left to the device; table mangle.",
          OptionSpec.flag("checksum-fill").needed().about("Fill it in.")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new ChecksumTarget();
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --checksum-fill");
  }

  @Override
  public String refusal(RulePlace place) {
    return place.onlyIn(TableKind.MANGLE);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (skb.ipSummed == SkBuff.CHECKSUM_PARTIAL) {
      skb.ipSummed = SkBuff.CHECKSUM_NONE;
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Step("skb_checksum_help", "transport checksum filled in"));
      }
    }
    return CONTINUE;
  }
}
