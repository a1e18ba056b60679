// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Plays xt_CLASSIFY: the packet's priority, which is the class that a queueing discipline reads.
 */
public record ClassifyTarget(int priority) implements StatelessTarget {
  /** As sscanf reads %x:%x; what follows is not looked at. */
  private static final Pattern CLASS =
      Pattern.compile("\\s*([+-]?)(?:0[xX])?(\\p{XDigit}+):\\s*([+-]?)(?:0[xX])?(\\p{XDigit}+).*");

  private static final int HOOKS = Hook.FORWARD.bit | Hook.LOCAL_OUT.bit | Hook.POST_ROUTING.bit;

  /** {@code -j CLASSIFY}. */
  public static final TargetType TYPE =
      new TargetType(
          "CLASSIFY",
          "Sets the packet's priority, the class for queueing disciplines.",
          OptionSpec.value("set-class").needed().about("MAJOR:MINOR, hexadecimal.", "1:10")) {
        @Override
        public Target parse(Options options, int protocol) {
          String text = options.text("set-class");
          Matcher matcher = CLASS.matcher(text);
          if (!matcher.matches()) {
            throw options.error(
                "set-class", "--set-class takes MAJOR:MINOR in hexadecimal, not \"" + text + "\"");
          }
          return new ClassifyTarget(low16(matcher, 1) << 16 | low16(matcher, 3));
        }
      };

  /** A sign and hexadecimal digits, of which the last 16 bits count. */
  private static int low16(Matcher matcher, int group) {
    String digits = matcher.group(group + 1);
    int value = Integer.parseInt(digits.substring(Math.max(0, digits.length() - 4)), 16);
    return (matcher.group(group).equals("-") ? -value : value) & 0xFFFF;
  }

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(
        String.format(Locale.ROOT, " --set-class %04x:%04x", priority >>> 16, priority & 0xFFFF));
  }

  @Override
  public String refusal(RulePlace place) {
    return place.isReachedOutside(HOOKS) ? "only in FORWARD, OUTPUT and POSTROUTING" : null;
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    int old = skb.priority;
    skb.priority = priority;
    if (skb.trace != null && old != priority) {
      skb.trace.on(new TraceEvent.Changed("priority", text(old), text(priority)));
    }
    return CONTINUE;
  }

  private static String text(int priority) {
    return Integer.toHexString(priority >>> 16) + ":" + Integer.toHexString(priority & 0xFFFF);
  }
}
