// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.Quoting;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_NFLOG: hands the packet to the program that listens on a group of nfnetlink_log. Nobody
 * does here: what it would be given shows in a walk.
 *
 * @param prefix up to 63 characters, or empty
 * @param length bytes of the packet that are copied, as they were given
 * @param limits are they --nflog-size's? --nflog-range has never limited anything
 * @param threshold packets that the kernel collects before it tells of them
 */
public record NflogTarget(int group, String prefix, int length, boolean limits, int threshold)
    implements StatelessTarget {
  private static final int LONGEST_PREFIX = 63;

  /** {@code -j NFLOG}. */
  public static final TargetType TYPE =
      new TargetType(
          "NFLOG",
          "Hands the packet to a logging program, and goes on.",
          OptionSpec.value("nflog-group").about("The group that it listens on, 0 to 65535.", "5"),
          OptionSpec.value("nflog-prefix").about("Up to 63 characters to tell with it.", "in: "),
          OptionSpec.value("nflog-range").about("Taken and printed, but without effect in Linux."),
          OptionSpec.value("nflog-size").about("Bytes of the packet to copy."),
          OptionSpec.value("nflog-threshold").about("Packets to collect before telling.")) {
        @Override
        public Target parse(Options options, int protocol) {
          options.oneOf(false, "nflog-range", "nflog-size");
          String prefix = options.has("nflog-prefix") ? options.text("nflog-prefix") : "";
          if (options.has("nflog-prefix") && prefix.isEmpty()) {
            throw options.error("nflog-prefix", "--nflog-prefix takes 1 to 63 characters");
          }
          if (prefix.indexOf('\n') >= 0) {
            throw options.error("nflog-prefix", "--nflog-prefix takes one line");
          }
          boolean limits = options.has("nflog-size");
          return new NflogTarget(
              (int) options.number("nflog-group", 0, 0xFFFF, 0),
              // iptables cuts a longer prefix, too.
              prefix.substring(0, Math.min(prefix.length(), LONGEST_PREFIX)),
              (int) options.number(limits ? "nflog-size" : "nflog-range", 0, 0xFFFFFFFFL, 0),
              limits,
              (int) options.number("nflog-threshold", 0, 0xFFFF, 0));
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (!prefix.isEmpty()) {
      out.append(" --nflog-prefix");
      Quoting.append(out, prefix);
    }
    out.append(group == 0 ? "" : " --nflog-group " + group);
    if (limits || length != 0) {
      out.append(limits ? " --nflog-size " : " --nflog-range ");
      out.append(Integer.toUnsignedString(length));
    }
    out.append(threshold == 0 ? "" : " --nflog-threshold " + threshold);
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (skb.trace != null) {
      long copied = limits ? Math.min(length & 0xFFFFFFFFL, skb.length()) : skb.length();
      skb.trace.on(
          new TraceEvent.Step(
              "nfulnl_log_packet",
              (copied + " of " + skb.length() + " bytes for who listens on group " + group)
                  + (prefix.isEmpty() ? "" : ", prefix \"" + prefix + "\"")));
    }
    return CONTINUE;
  }
}
