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
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;
import java.util.BitSet;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Plays xt_TCPOPTSTRIP: overwrites TCP options with no-operations.
 *
 * @param kinds the option kinds, 2 to 255; not to be changed
 */
public record TcpoptstripTarget(BitSet kinds) implements StatelessTarget {
  private static final int NOP = 1;

  private static final Map<String, Integer> NAMES =
      Map.of("wscale", 3, "mss", 2, "sack-permitted", 4, "sack", 5, "timestamp", 8, "md5", 19);

  /** {@code -j TCPOPTSTRIP}. */
  public static final TargetType TYPE =
      new TargetType(
          "TCPOPTSTRIP",
          "Overwrites TCP options with no-operations; table mangle, -p tcp.",
          OptionSpec.value("strip-options")
              .about(
                  "A list of kinds, 2 to 255, or mss, wscale, sack-permitted, sack, timestamp, md5.",
                  "timestamp,md5")) {
        @Override
        public Target parse(Options options, int protocol) {
          BitSet kinds = new BitSet(256);
          if (options.has("strip-options")) {
            for (String part : options.list("strip-options")) {
              Integer named = NAMES.get(part);
              int kind =
                  named != null ? named : (int) options.number("strip-options", part, 2, 255);
              if (kinds.get(kind)) {
                throw options.error("strip-options", "--strip-options names " + part + " twice");
              }
              kinds.set(kind);
            }
          }
          return new TcpoptstripTarget(kinds);
        }
      };

  @Override
  public TargetType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (!kinds.isEmpty()) {
      out.append(" --strip-options ");
      out.append(kinds.stream().mapToObj(Integer::toString).collect(Collectors.joining(",")));
    }
  }

  @Override
  public String refusal(RulePlace place) {
    if (place.table() != TableKind.MANGLE) {
      return place.onlyIn(TableKind.MANGLE);
    }
    return place.isProtocol(IpHeader.IPPROTO_TCP) ? null : "needs -p tcp";
  }

  @Override
  public int target(SkBuff skb, PacketContext context) {
    if (context.fragmentOffset != 0) {
      return CONTINUE;
    }
    int tcp = context.transport;
    int left = skb.tail - tcp;
    if (left < TcpHeader.MIN_LENGTH) {
      return Verdict.DROP;
    }
    int header = TcpHeader.headerLength(skb, tcp);
    if (header < TcpHeader.MIN_LENGTH || left < header) {
      return Verdict.DROP;
    }
    int length;
    for (int at = TcpHeader.MIN_LENGTH; at < header - 1; at += length) {
      int kind = skb.u8(tcp + at);
      int size = skb.u8(tcp + at + 1);
      // An end of the list does not end it here: it takes one byte, as does a length of 0.
      length = kind <= NOP || size == 0 ? 1 : size;
      if (at + length > header) {
        break;
      }
      if (kinds.get(kind)) {
        strip(skb, tcp, at, length);
        if (skb.trace != null) {
          skb.trace.on(
              new TraceEvent.Changed("tcp option " + kind, length + " bytes", "no-operations"));
        }
      }
    }
    return CONTINUE;
  }

  private static void strip(SkBuff skb, int tcp, int from, int length) {
    int checksum = tcp + TcpHeader.CHECKSUM_OFFSET;
    for (int at = from; at < from + length; at++) {
      int shift = at % 2 == 0 ? 8 : 0;
      int old = skb.u8(tcp + at);
      skb.setU16(checksum, Checksum.replace32(skb.u16(checksum), old << shift, NOP << shift));
      skb.setU8(tcp + at, NOP);
    }
  }
}
