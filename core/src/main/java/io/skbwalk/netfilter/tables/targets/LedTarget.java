// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import java.util.Locale;

/**
 * Plays libxt_LED: a rule is read and printed, and refused where it should run, as by a kernel that
 * has no LEDs (CONFIG_NETFILTER_XT_TARGET_LED).
 *
 * @param delay milliseconds that the light stays on, -1 for ever; as iptables-save prints it
 */
public record LedTarget(String trigger, int delay, boolean alwaysBlink) implements StatelessTarget {
  private static final int MOST_TRIGGER = 16;

  /** {@code -j LED}. */
  public static final TargetType TYPE =
      new TargetType(
          "LED",
          "Lights an LED; refused as by a kernel without it.",
          OptionSpec.value("led-trigger-id").needed().about("The LED trigger's name.", "ssh"),
          OptionSpec.value("led-delay").about("Milliseconds that it stays on, or inf.", "1000"),
          OptionSpec.flag("led-always-blink").about("Blink even when it is on.")) {
        @Override
        public Target parse(Options options, int protocol) {
          boolean forever =
              options.has("led-delay")
                  && options.text("led-delay").toLowerCase(Locale.ROOT).startsWith("inf");
          return new LedTarget(
              options.string("led-trigger-id", 0, MOST_TRIGGER),
              forever ? -1 : (int) options.number("led-delay", 0, 0xFFFFFFFFL, 0),
              options.has("led-always-blink"));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --led-trigger-id \"");
    out.append(trigger.replace("\\", "\\\\").replace("\"", "\\\"")).append('"');
    if (delay != 0) {
      out.append(" --led-delay ").append(delay);
    }
    out.append(alwaysBlink ? " --led-always-blink" : "");
  }

  @Override
  public String refusal(RulePlace place) {
    return "the kernel has no LED target (CONFIG_NETFILTER_XT_TARGET_LED)";
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    return CONTINUE;
  }
}
