// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.targets;

import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.netfilter.tables.StatelessTarget;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.TargetType;
import io.skbwalk.netfilter.tables.matches.TcpMatch;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;
import java.util.List;

/**
 * Plays xt_TCPMSS: lowers the maximum segment size that a SYN announces (RFC 9293).
 *
 * @param mss bytes; {@link #CLAMP} for the path's MTU less headers
 */
public record TcpmssTarget(int mss) implements StatelessTarget {
  /** {@code --clamp-mss-to-pmtu}. */
  public static final int CLAMP = 0xFFFF;

  private static final int OPTION_MSS = 2;
  private static final int OPTION_LENGTH = 4;
  private static final int LONGEST_HEADER = 60;
  private static final int HEADERS = IpHeader.MIN_LENGTH + TcpHeader.MIN_LENGTH;

  /** What a SYN without the option means (RFC 9293). */
  private static final int DEFAULT_MSS = 536;

  /** {@code -j TCPMSS}. */
  public static final TargetType TYPE =
      new TargetType(
          "TCPMSS",
          "Sets the maximum segment size in SYNs.",
          OptionSpec.value("set-mss").about("Bytes.", "1400"),
          OptionSpec.flag("clamp-mss-to-pmtu").about("What the path lets through.")) {
        @Override
        public Target parse(Options options, int protocol) {
          if (options.isEmpty()) {
            throw options.error("one of --set-mss, --clamp-mss-to-pmtu is needed");
          }
          int bytes = (int) options.number("set-mss", 0, 0xFFFF - IpHeader.MIN_LENGTH, 0);
          // Of both, the last one counts.
          List<String> given = options.names();
          boolean clamps = given.get(given.size() - 1).equals("clamp-mss-to-pmtu");
          return new TcpmssTarget(clamps ? CLAMP : bytes);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (mss == CLAMP) {
      out.append(" --clamp-mss-to-pmtu");
    } else {
      out.append(" --set-mss ").append(mss);
    }
  }

  @Override
  public String refusal(RulePlace place) {
    if (mss == CLAMP
        && place.isReachedOutside(Hook.FORWARD.bit | Hook.LOCAL_OUT.bit | Hook.POST_ROUTING.bit)) {
      return "--clamp-mss-to-pmtu only in FORWARD, OUTPUT and POSTROUTING";
    }
    if (place.isProtocol(IpHeader.IPPROTO_TCP)) {
      for (Match match : place.rule().matches()) {
        if (match instanceof TcpMatch tcp
            && (tcp.flagsSet() & TcpHeader.SYN) != 0
            && !tcp.notFlags()) {
          return null;
        }
      }
    }
    return "needs -p tcp with --syn, or --tcp-flags with SYN set";
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return CONTINUE;
    }
    int tcp = context.transport;
    int length = skb.tail - tcp;
    if (length < TcpHeader.MIN_LENGTH) {
      return Verdict.DROP;
    }
    int header = TcpHeader.headerLength(skb, tcp);
    if (length < header || header < TcpHeader.MIN_LENGTH) {
      return Verdict.DROP;
    }
    int wanted = mss;
    if (mss == CLAMP) {
      int mtu =
          Math.min(
              context.environment.ipv4().dstMtu(skb), context.environment.ipv4().reverseMtu(skb));
      if (mtu <= HEADERS) {
        return Verdict.DROP;
      }
      wanted = mtu - HEADERS & 0xFFFF;
    }
    for (int at = TcpHeader.MIN_LENGTH; at <= header - OPTION_LENGTH; ) {
      int kind = skb.u8(tcp + at);
      int size = skb.u8(tcp + at + 1);
      if (kind == OPTION_MSS && size == OPTION_LENGTH) {
        lower(skb, tcp, tcp + at + 2, wanted);
        return CONTINUE;
      }
      // End, no-operation and a length of 0 take one byte.
      at += kind <= 1 || size == 0 ? 1 : size;
    }
    // Behind data there is no room; and the header cannot grow beyond 60 bytes.
    if (length > header || header >= LONGEST_HEADER) {
      return CONTINUE;
    }
    insert(skb, context, length, Math.min(wanted, DEFAULT_MSS));
    return CONTINUE;
  }

  /** Never raises it. */
  private static void lower(SkBuff skb, int tcp, int field, int wanted) {
    int old = skb.u16(field);
    if (old <= wanted) {
      return;
    }
    // The field may stand at an odd offset, and the kernel sums it as if it did not.
    replace(skb, tcp, old, wanted);
    skb.setU16(field, wanted);
    changed(skb, Integer.toString(old), wanted);
  }

  private static void insert(SkBuff skb, PacketContext context, int length, int wanted) {
    if (skb.tailroom() < OPTION_LENGTH) {
      context.environment.net().skbs.expand(skb, skb.length() + OPTION_LENGTH);
    }
    int tcp = context.transport;
    int option = tcp + TcpHeader.MIN_LENGTH;
    skb.put(OPTION_LENGTH);
    System.arraycopy(
        skb.head, option, skb.head, option + OPTION_LENGTH, length - TcpHeader.MIN_LENGTH);
    replace(skb, tcp, length, length + OPTION_LENGTH);
    skb.setU16(option, OPTION_MSS << 8 | OPTION_LENGTH);
    skb.setU16(option + 2, wanted);
    int checksum = tcp + TcpHeader.CHECKSUM_OFFSET;
    skb.setU16(checksum, Checksum.replace32(skb.u16(checksum), 0, skb.u32(option)));
    int old = skb.u16(tcp + TcpHeader.DATA_OFFSET);
    int now = old + (OPTION_LENGTH / 4 << 12);
    skb.setU16(tcp + TcpHeader.DATA_OFFSET, now);
    replace(skb, tcp, old, now);
    IpHeader.replace16(
        skb, IpHeader.TOTAL_LENGTH_OFFSET, IpHeader.totalLength(skb) + OPTION_LENGTH);
    changed(skb, "none", wanted);
  }

  private static void replace(SkBuff skb, int tcp, int old, int now) {
    int checksum = tcp + TcpHeader.CHECKSUM_OFFSET;
    skb.setU16(checksum, Checksum.replace16(skb.u16(checksum), old, now));
  }

  private static void changed(SkBuff skb, String before, int after) {
    if (skb.trace != null) {
      skb.trace.on(new TraceEvent.Changed("mss", before, Integer.toString(after)));
    }
  }
}
