// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.netfilter.tables.Tos;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays ipt_ECN: changes the bits of explicit congestion notification (RFC 3168).
 *
 * @param ece the TCP flag becomes 0 or 1; {@link #KEEP}: stays
 * @param cwr the TCP flag becomes 0 or 1; {@link #KEEP}: stays
 * @param ect the lower two bits of the type of service become 0 to 3; {@link #KEEP}: stay
 */
public record EcnTarget(int ece, int cwr, int ect) implements StatelessTarget {
  private static final int KEEP = -1;
  private static final int ECN_MASK = 3;

  /** {@code -j ECN}. */
  public static final TargetType TYPE =
      new TargetType(
          "ECN",
          "Sets or removes the bits of explicit congestion notification; table mangle.",
          OptionSpec.flag("ecn-tcp-remove").about("Clear both TCP flags; needs -p tcp."),
          OptionSpec.value("ecn-tcp-cwr").about("The TCP flag CWR, 0 or 1; needs -p tcp."),
          OptionSpec.value("ecn-tcp-ece").about("The TCP flag ECE, 0 or 1; needs -p tcp."),
          OptionSpec.value("ecn-ip-ect").about("The code point of the IP header, 0 to 3.")) {
        @Override
        public Target parse(Options options, int protocol) {
          options.oneOf(false, "ecn-tcp-remove", "ecn-tcp-cwr");
          options.oneOf(false, "ecn-tcp-remove", "ecn-tcp-ece");
          if (options.isEmpty()) {
            throw options.error(
                "one of --ecn-tcp-remove, --ecn-tcp-cwr, --ecn-tcp-ece, --ecn-ip-ect is needed");
          }
          int ece = (int) options.number("ecn-tcp-ece", 0, 1, KEEP);
          int cwr = (int) options.number("ecn-tcp-cwr", 0, 1, KEEP);
          int ect = (int) options.number("ecn-ip-ect", 0, ECN_MASK, KEEP);
          if (options.has("ecn-tcp-remove")) {
            // iptables forgets an --ecn-ip-ect that was written before.
            boolean forgets =
                options.names().indexOf("ecn-ip-ect") < options.names().indexOf("ecn-tcp-remove");
            return new EcnTarget(0, 0, forgets ? KEEP : ect);
          }
          return new EcnTarget(ece, cwr, ect);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (ece == 0 && cwr == 0 && ect == KEEP) {
      out.append(" --ecn-tcp-remove");
      return;
    }
    out.append(ece == KEEP ? "" : " --ecn-tcp-ece " + ece);
    out.append(cwr == KEEP ? "" : " --ecn-tcp-cwr " + cwr);
    out.append(ect == KEEP ? "" : " --ecn-ip-ect " + ect);
  }

  @Override
  public String refusal(RulePlace place) {
    if (place.table() != TableKind.MANGLE) {
      return place.onlyIn(TableKind.MANGLE);
    }
    return (ece != KEEP || cwr != KEEP) && !place.isProtocol(IpHeader.IPPROTO_TCP)
        ? "the flags of TCP need -p tcp"
        : null;
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (ect != KEEP) {
      codePoint(skb);
    }
    boolean asksTcp = ece != KEEP || cwr != KEEP;
    if (asksTcp && IpHeader.protocol(skb) == IpHeader.IPPROTO_TCP && !flags(skb, context)) {
      return Verdict.DROP;
    }
    return CONTINUE;
  }

  private void codePoint(SkBuff skb) {
    int old = IpHeader.tos(skb);
    int now = old & ~ECN_MASK | ect;
    if (now == old) {
      return;
    }
    skb.setU16(
        skb.networkHeader + IpHeader.CHECKSUM_OFFSET,
        Checksum.replace16(IpHeader.checksum(skb), old, now));
    skb.setU8(skb.networkHeader + IpHeader.TOS_OFFSET, now);
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Changed("tos", Tos.text(old), Tos.text(now)));
    }
  }

  /**
   * A later fragment has no TCP header, and the kernel takes its data for one all the same. False
   * when there are not enough bytes.
   */
  private boolean flags(SkBuff skb, PacketContext context) {
    int tcp = context.transport;
    if (skb.tail - tcp < TcpHeader.MIN_LENGTH) {
      return false;
    }
    int old = TcpHeader.flags(skb, tcp);
    int now = with(with(old, TcpHeader.ECE, ece), TcpHeader.CWR, cwr);
    if (now == old) {
      return true;
    }
    int word = skb.u8(tcp + TcpHeader.DATA_OFFSET) << 8;
    int checksum = tcp + TcpHeader.CHECKSUM_OFFSET;
    skb.setU16(checksum, Checksum.replace32(skb.u16(checksum), word | old, word | now));
    skb.setU8(tcp + TcpHeader.FLAGS_OFFSET, now);
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Changed("tcp ecn flags", names(old), names(now)));
    }
    return true;
  }

  private static int with(int flags, int flag, int value) {
    return value == KEEP ? flags : value == 0 ? flags & ~flag : flags | flag;
  }

  private static String names(int flags) {
    boolean ece = (flags & TcpHeader.ECE) != 0;
    boolean cwr = (flags & TcpHeader.CWR) != 0;
    return ece ? cwr ? "ECE,CWR" : "ECE" : cwr ? "CWR" : "none";
  }
}
