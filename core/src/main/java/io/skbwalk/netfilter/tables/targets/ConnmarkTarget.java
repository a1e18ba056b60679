// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays xt_connmark's target: sets the connection's mark, or copies between it and the packet's.
 *
 * @param value xored in, for SET
 * @param connectionMask bits of the connection's mark
 * @param packetMask bits of the packet's mark
 */
public record ConnmarkTarget(Mode mode, int value, int connectionMask, int packetMask)
    implements StatelessTarget {
  /** What is set from what. */
  public enum Mode {
    /** The connection's mark from the rule. */
    SET,
    /** The connection's mark from the packet's. */
    SAVE,
    /** The packet's mark from the connection's. */
    RESTORE
  }

  /** {@code -j CONNMARK}. */
  public static final TargetType TYPE =
      new TargetType(
          "CONNMARK",
          "Sets the connection's mark, or copies it from or to the packet's.",
          OptionSpec.value("set-xmark")
              .about("value/mask: clear the mask's bits, then exclusive-or the value."),
          OptionSpec.value("set-mark")
              .about("value/mask: clear the mask's bits, then set the value's."),
          OptionSpec.value("and-mark").about("Keep these bits only."),
          OptionSpec.value("or-mark").about("Set these bits."),
          OptionSpec.value("xor-mark").about("Flip these bits."),
          OptionSpec.flag("save-mark").about("Packet's mark to the connection."),
          OptionSpec.flag("restore-mark").about("Connection's mark to the packet."),
          OptionSpec.value("ctmask").about("These bits of the connection's mark."),
          OptionSpec.value("nfmask").about("These bits of the packet's mark."),
          OptionSpec.value("mask").about("These bits of both.")) {
        @Override
        public Target parse(Options options, int protocol) {
          String option =
              options.oneOf(
                  true,
                  "set-xmark",
                  "set-mark",
                  "and-mark",
                  "or-mark",
                  "xor-mark",
                  "save-mark",
                  "restore-mark");
          if (options.has("mask") && (options.has("ctmask") || options.has("nfmask"))) {
            throw options.error("mask", "--mask stands for --ctmask and --nfmask; use it alone");
          }
          if (!option.equals("save-mark") && !option.equals("restore-mark")) {
            for (String other : new String[] {"ctmask", "nfmask", "mask"}) {
              if (options.has(other)) {
                throw options.error(other, "--" + other + " is for --save-mark and --restore-mark");
              }
            }
            long mark = MarkArithmetic.parse(options, option);
            return new ConnmarkTarget(Mode.SET, (int) (mark >>> 32), (int) mark, 0);
          }
          return new ConnmarkTarget(
              option.equals("save-mark") ? Mode.SAVE : Mode.RESTORE,
              0,
              mask(options, "ctmask"),
              mask(options, "nfmask"));
        }
      };

  private static int mask(Options options, String option) {
    long both = options.number("mask", 0, 0xFFFFFFFFL, 0xFFFFFFFFL);
    return (int) options.number(option, 0, 0xFFFFFFFFL, both);
  }

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (mode == Mode.SET) {
      MarkArithmetic.save(out, value, connectionMask);
      return;
    }
    out.append(mode == Mode.SAVE ? " --save-mark" : " --restore-mark");
    out.append(" --nfmask 0x").append(Integer.toHexString(packetMask));
    out.append(" --ctmask 0x").append(Integer.toHexString(connectionMask));
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
    int old = conntrack.mark(skb.ct);
    if (mode == Mode.RESTORE) {
      int before = skb.mark;
      skb.mark = before & ~packetMask ^ old & connectionMask;
      if (skb.trace != null && skb.mark != before) {
        skb.trace.on(
            new TraceEvent.Changed("mark", MarkTarget.hex(before), MarkTarget.hex(skb.mark)));
      }
      return CONTINUE;
    }
    int set = mode == Mode.SET ? value : skb.mark & packetMask;
    int now = old & ~connectionMask ^ set;
    if (now != old) {
      conntrack.setMark(skb.ct, now);
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Changed("connmark", MarkTarget.hex(old), MarkTarget.hex(now)));
      }
    }
    return CONTINUE;
  }
}
