// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.LogLine;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.Quoting;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_LOG: writes a line about the packet.
 *
 * @param level 0 (emerg) to 7 (debug)
 * @param flags bits of {@link LogLine}
 */
public record LogTarget(int level, int flags, String prefix) implements StatelessTarget {
  private static final int DEFAULT_LEVEL = 4;
  private static final int LONGEST_PREFIX = 29;

  /** {@code -j LOG}. */
  public static final TargetType TYPE =
      new TargetType(
          "LOG",
          "Writes the packet to the kernel's log, and goes on.",
          OptionSpec.value("log-level").about("emerg to debug, or 0 to 7.", "warning"),
          OptionSpec.value("log-prefix").about("Up to 29 characters before it.", "refused: "),
          OptionSpec.flag("log-tcp-sequence").about("TCP sequence numbers, too."),
          OptionSpec.flag("log-tcp-options").about("TCP options, too."),
          OptionSpec.flag("log-ip-options").about("IP options, too."),
          OptionSpec.flag("log-uid").about("The local process's user, too."),
          OptionSpec.flag("log-macdecode").about("Ethernet addresses by their fields.")) {
        @Override
        public Target parse(Options options, int protocol) {
          String prefix = options.has("log-prefix") ? options.text("log-prefix") : "";
          if (options.has("log-prefix") && prefix.isEmpty()) {
            throw options.error("log-prefix", "--log-prefix takes 1 to 29 characters");
          }
          if (prefix.indexOf('\n') >= 0) {
            throw options.error("log-prefix", "--log-prefix takes one line");
          }
          int flags =
              (options.has("log-tcp-sequence") ? LogLine.TCP_SEQUENCE : 0)
                  | (options.has("log-tcp-options") ? LogLine.TCP_OPTIONS : 0)
                  | (options.has("log-ip-options") ? LogLine.IP_OPTIONS : 0)
                  | (options.has("log-uid") ? LogLine.UID : 0)
                  | (options.has("log-macdecode") ? LogLine.MAC_DECODE : 0);
          // iptables cuts a longer prefix, too.
          return new LogTarget(
              options.has("log-level") ? options.syslogLevel("log-level") : DEFAULT_LEVEL,
              flags,
              prefix.isEmpty() ? "" : options.cut("log-prefix", LONGEST_PREFIX));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (!prefix.isEmpty()) {
      out.append(" --log-prefix");
      Quoting.append(out, prefix);
    }
    if (level != DEFAULT_LEVEL) {
      out.append(" --log-level ").append(level);
    }
    out.append((flags & LogLine.TCP_SEQUENCE) != 0 ? " --log-tcp-sequence" : "");
    out.append((flags & LogLine.TCP_OPTIONS) != 0 ? " --log-tcp-options" : "");
    out.append((flags & LogLine.IP_OPTIONS) != 0 ? " --log-ip-options" : "");
    out.append((flags & LogLine.UID) != 0 ? " --log-uid" : "");
    out.append((flags & LogLine.MAC_DECODE) != 0 ? " --log-macdecode" : "");
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    context.log(skb, prefix, level, flags);
    return CONTINUE;
  }
}
