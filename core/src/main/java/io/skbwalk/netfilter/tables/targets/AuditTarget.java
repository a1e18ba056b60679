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
import java.util.List;
import java.util.Locale;

/**
 * Plays xt_AUDIT: a record of the packet for the audit subsystem, if that is switched on; the
 * packet goes on. No audit daemon runs here, so nothing but a walk tells of it.
 */
public record AuditTarget(Kind kind) implements StatelessTarget {
  /** What the rule is said to do to the packet; the kernel does not look at it. */
  public enum Kind {
    /** It is let through. */
    ACCEPT,
    /** It is dropped. */
    DROP,
    /** It is answered with an error. */
    REJECT;

    private final String label = name().toLowerCase(Locale.ROOT);
  }

  private static final List<String> KINDS =
      List.of(Kind.values()).stream().map(kind -> kind.label).toList();

  /** {@code -j AUDIT}. */
  public static final TargetType TYPE =
      new TargetType(
          "AUDIT",
          "Writes an audit record about the packet, and goes on.",
          OptionSpec.value("type")
              .needed()
              .about("What the rules are doing with it: accept, drop or reject.", "drop")) {
        @Override
        public Target parse(Options options, int protocol) {
          return new AuditTarget(Kind.values()[options.choice("type", KINDS)]);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(" --type ").append(kind.label);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Step("audit_tg", "an audit record, were auditing on"));
    }
    return CONTINUE;
  }
}
