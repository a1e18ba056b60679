// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_mark's target: the mark loses the bits of {@code mask}, then is xored with {@code
 * value}.
 */
public record MarkTarget(int value, int mask) implements StatelessTarget {
  /** {@code -j MARK}. */
  public static final TargetType TYPE =
      new TargetType(
          "MARK",
          "Sets the packet's mark.",
          OptionSpec.value("set-xmark")
              .about("value/mask: clear the mask's bits, then exclusive-or the value."),
          OptionSpec.value("set-mark")
              .about("value/mask: clear the mask's bits, then set the value's."),
          OptionSpec.value("and-mark").about("Keep these bits only."),
          OptionSpec.value("or-mark").about("Set these bits."),
          OptionSpec.value("xor-mark").about("Flip these bits.")) {
        @Override
        public Target parse(Options options, int protocol) {
          long mark =
              MarkArithmetic.parse(
                  options,
                  options.oneOf(true, "set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark"));
          return new MarkTarget((int) (mark >>> 32), (int) mark);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    MarkArithmetic.save(out, value, mask);
  }

  @Override
  public boolean repeats() {
    return true;
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    int old = skb.mark;
    skb.mark = old & ~mask ^ value;
    if (skb.trace != null && skb.mark != old) {
      skb.trace.on(new TraceEvent.Changed("mark", hex(old), hex(skb.mark)));
    }
    return CONTINUE;
  }

  static String hex(int mark) {
    return "0x" + Integer.toHexString(mark);
  }
}
