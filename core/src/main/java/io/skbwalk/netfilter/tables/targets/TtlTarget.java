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
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/** Plays xt_HL's TTL target: sets, adds to or takes from the time to live. */
public record TtlTarget(Mode mode, int amount) implements StatelessTarget {
  /** What is done with the amount. */
  public enum Mode {
    /** {@code --ttl-set}. */
    SET,
    /** {@code --ttl-inc}, up to 255. */
    INC,
    /** {@code --ttl-dec}, down to 0. */
    DEC
  }

  /** {@code -j TTL}. */
  public static final TargetType TYPE =
      new TargetType(
          "TTL",
          "Sets the time to live; table mangle.",
          OptionSpec.value("ttl-set").about("To this."),
          OptionSpec.value("ttl-dec").about("Less by this."),
          OptionSpec.value("ttl-inc").about("More by this.")) {
        @Override
        public Target parse(Options options, int protocol) {
          String option = options.oneOf(true, "ttl-set", "ttl-dec", "ttl-inc");
          Mode mode =
              option.equals("ttl-set") ? Mode.SET : option.equals("ttl-inc") ? Mode.INC : Mode.DEC;
          int least = mode == Mode.SET ? 0 : 1;
          return new TtlTarget(mode, (int) options.number(option, least, 255, 0));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(mode == Mode.SET ? " --ttl-set " : mode == Mode.INC ? " --ttl-inc " : " --ttl-dec ");
    out.append(amount);
  }

  @Override
  public String refusal(RulePlace place) {
    return place.onlyIn(TableKind.MANGLE);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    int old = IpHeader.ttl(skb);
    int now =
        switch (mode) {
          case SET -> amount;
          case INC -> Math.min(old + amount, 255);
          case DEC -> Math.max(old - amount, 0);
        };
    if (now != old) {
      IpHeader.replace16(skb, IpHeader.TTL_OFFSET, now << 8 | IpHeader.protocol(skb));
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Changed("ttl", Integer.toString(old), Integer.toString(now)));
      }
    }
    return CONTINUE;
  }
}
