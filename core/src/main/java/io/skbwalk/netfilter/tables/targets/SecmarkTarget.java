// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketTarget;
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_SECMARK: the packet gets an SELinux security context, as a number. The kernel refuses a
 * context that its policy does not know, and any when SELinux is not there; here the host file says
 * which are known (security-contexts). Nobody acts upon it but CONNSECMARK.
 */
public record SecmarkTarget(String context) implements Target {
  /** SECMARK_SECCTX_MAX without the terminating zero. */
  private static final int LONGEST_CONTEXT = 255;

  /** {@code -j SECMARK}. */
  public static final TargetType TYPE =
      new TargetType(
          "SECMARK",
          "Gives the packet an SELinux context; tables mangle and security.",
          OptionSpec.value("selctx")
              .needed()
              .about(
                  "One of the host's security-contexts.",
                  "system_u:object_r:ssh_server_packet_t:s0")) {
        @Override
        public Target parse(Options options, int protocol) {
          String text = options.text("selctx");
          return new SecmarkTarget(text.substring(0, Math.min(text.length(), LONGEST_CONTEXT)));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --selctx ").append(context);
  }

  @Override
  public String refusal(RulePlace place) {
    return wrongTable(place);
  }

  static String wrongTable(RulePlace place) {
    return place.table() == TableKind.MANGLE || place.table() == TableKind.SECURITY
        ? null
        : "only in the tables mangle and security";
  }

  @Override
  public PacketTarget bind(Environment environment) {
    int mark = environment.securityContexts().indexOf(context) + 1;
    if (mark == 0) {
      throw new RefusedException(
          environment.securityContexts().isEmpty()
              ? "this machine has no SELinux (security-contexts in the host file)"
              : "the policy does not know the context " + context);
    }
    return (skb, place) -> {
      skb.secmark = mark;
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Step("secmark_tg", "the packet gets the context " + context));
      }
      return PacketTarget.CONTINUE;
    };
  }
}
