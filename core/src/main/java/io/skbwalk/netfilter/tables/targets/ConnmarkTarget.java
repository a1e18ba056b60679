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
 * @param shift bits to the left, or when negative to the right, that what is set or copied moves
 */
public record ConnmarkTarget(Mode mode, int value, int connectionMask, int packetMask, int shift)
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

  private static final int MAX_SHIFT = 31;

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
          OptionSpec.value("mask").about("These bits of both."),
          OptionSpec.value("left-shift-mark")
              .about("What is set or copied moves left by so many bits (0 to 31).", "8"),
          OptionSpec.value("right-shift-mark")
              .about("What is set or copied moves right by so many bits (0 to 31).", "8")) {
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
          Mode mode =
              option.equals("save-mark")
                  ? Mode.SAVE
                  : option.equals("restore-mark") ? Mode.RESTORE : Mode.SET;
          int value = 0;
          int connectionMask = -1;
          int packetMask = -1;
          int shift = 0;
          // As in iptables each option overwrites what those before it said.
          for (String one : options.names()) {
            switch (one) {
              case "save-mark":
              case "restore-mark":
                break;
              case "mask":
                connectionMask = packetMask = word(options, one);
                break;
              case "ctmask":
                connectionMask = word(options, one);
                break;
              case "nfmask":
                packetMask = word(options, one);
                break;
              case "left-shift-mark":
                shift = (int) options.number(one, 0, MAX_SHIFT, 0);
                break;
              case "right-shift-mark":
                shift = (int) -options.number(one, 0, MAX_SHIFT, 0);
                break;
              default:
                long mark = MarkArithmetic.parse(options, one);
                value = (int) (mark >>> 32);
                connectionMask = (int) mark;
                break;
            }
          }
          return new ConnmarkTarget(
              mode, value, connectionMask, mode == Mode.SET ? 0 : packetMask, shift);
        }
      };

  private static int word(Options options, String option) {
    return (int) options.number(option, 0, 0xFFFFFFFFL, 0);
  }

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (mode == Mode.SET) {
      MarkArithmetic.save(out, value, connectionMask);
    } else {
      out.append(mode == Mode.SAVE ? " --save-mark" : " --restore-mark");
      out.append(" --nfmask 0x").append(Integer.toHexString(packetMask));
      out.append(" --ctmask 0x").append(Integer.toHexString(connectionMask));
    }
    if (shift != 0) {
      out.append(shift > 0 ? " --left-shift-mark " : " --right-shift-mark ");
      out.append(Math.abs(shift));
    }
  }

  private int shifted(int mark) {
    return shift >= 0 ? mark << shift : mark >>> -shift;
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public boolean repeats() {
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
      skb.mark = before & ~packetMask ^ shifted(old & connectionMask);
      if (skb.trace != null && skb.mark != before) {
        skb.trace.on(
            new TraceEvent.Changed("mark", MarkTarget.hex(before), MarkTarget.hex(skb.mark)));
      }
      return CONTINUE;
    }
    int kept = old & ~connectionMask;
    int now = mode == Mode.SET ? shifted(kept ^ value) : kept ^ shifted(skb.mark & packetMask);
    if (now != old) {
      conntrack.setMark(skb.ct, now);
      if (skb.trace != null) {
        skb.trace.on(new TraceEvent.Changed("connmark", MarkTarget.hex(old), MarkTarget.hex(now)));
      }
    }
    return CONTINUE;
  }
}
