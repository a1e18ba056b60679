// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.List;
import java.util.Locale;

/**
 * Plays xt_pkttype: to whom the link-layer frame was sent.
 *
 * @param kind one of SkBuff's PACKET_ constants
 */
public record PkttypeMatch(int kind, boolean inverted) implements StatelessMatch {
  /** By PACKET_ number; the second half are other words for the same. */
  private static final List<String> NAMES =
      List.of(
          "unicast",
          "broadcast",
          "multicast",
          "otherhost",
          "outgoing",
          "loopback",
          "host",
          "bcast",
          "mcast");

  private static final int KINDS = 6;

  /** What a packet may have and a rule cannot ask for. */
  private static final List<String> UNASKED = List.of("outgoing", "loopback");

  /** {@code -m pkttype}. */
  public static final MatchType TYPE =
      new MatchType(
          "pkttype",
          "Whom the frame was addressed to.",
          OptionSpec.value("pkt-type")
              .inverted()
              .needed()
              .about("unicast, broadcast, multicast or otherhost.", "broadcast")) {
        @Override
        public Match parse(Options options, int protocol) {
          String text = options.text("pkt-type").toLowerCase(Locale.ROOT);
          int index = NAMES.indexOf(text);
          if (index < 0 || UNASKED.contains(text)) {
            throw options.error(
                "pkt-type",
                "--pkt-type takes unicast, broadcast, multicast or otherhost, not \""
                    + text
                    + "\"");
          }
          return new PkttypeMatch(index % KINDS, options.inverted("pkt-type"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --pkt-type " : " --pkt-type ").append(NAMES.get(kind));
  }

  private static int kindOf(SkBuff skb) {
    if (skb.pktType != SkBuff.PACKET_LOOPBACK) {
      return skb.pktType;
    }
    return Ip4.isMulticast(IpHeader.destination(skb))
        ? SkBuff.PACKET_MULTICAST
        : SkBuff.PACKET_BROADCAST;
  }

  @Override
  public Conditions.Beyond asks(Conditions conditions) {
    return Conditions.Beyond.READS;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    return (kindOf(skb) == kind) != inverted;
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    return "packet type is " + NAMES.get(kindOf(skb));
  }
}
