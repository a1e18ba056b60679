// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_CONNSECMARK: copies the security mark of a packet to its connection, or back, where the
 * other has none yet.
 */
public record ConnsecmarkTarget(boolean saves) implements StatelessTarget {
  /** {@code -j CONNSECMARK}. */
  public static final TargetType TYPE =
      new TargetType(
          "CONNSECMARK",
          "Copies a security mark between packet and connection; tables mangle and security.",
          OptionSpec.flag("save").about("Packet's mark to a connection without one."),
          OptionSpec.flag("restore").about("Connection's mark to a packet without one.")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new ConnsecmarkTarget(options.oneOf(true, "save", "restore").equals("save"));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(saves ? " --save" : " --restore");
  }

  @Override
  public String refusal(RulePlace place) {
    return SecmarkTarget.wrongTable(place);
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (skb.ct == 0) {
      return CONTINUE;
    }
    Conntrack conntrack = context.environment.conntrack();
    int known = conntrack.secmark(skb.ct);
    if (saves && skb.secmark != 0 && known == 0) {
      conntrack.setSecmark(skb.ct, skb.secmark);
      tell(skb, context, "the connection");
    } else if (!saves && skb.secmark == 0 && known != 0) {
      skb.secmark = known;
      tell(skb, context, "the packet");
    }
    return CONTINUE;
  }

  private static void tell(SkBuff skb, PacketContext context, String whose) {
    if (skb.trace != null) {
      String name = context.environment.securityContexts().get(skb.secmark - 1);
      skb.trace.on(new TraceEvent.Step("connsecmark_tg", whose + " gets the context " + name));
    }
  }
}
