// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.netfilter.tables.index.PacketKey;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_sctp: ports and chunks of SCTP (RFC 9260).
 *
 * @param source null when not asked
 * @param destination null when not asked
 * @param chunks null when not asked
 */
public record SctpMatch(PortRange source, PortRange destination, SctpChunks chunks)
    implements Match {
  private static final int LENGTH = 12;

  /** {@code -m sctp}. */
  public static final MatchType TYPE =
      new MatchType(
          "sctp",
          "SCTP's ports and chunks; needs protocol: sctp.",
          IpHeader.IPPROTO_SCTP,
          PortRange.source(),
          PortRange.destination(),
          OptionSpec.pair("of", "types", "chunk-types")
              .inverted()
              .about(
                  "Which chunks the packet has: any, all or only, and a list of "
                      + SctpChunks.names()
                      + " (or ALL, or NONE), each perhaps with flags such as DATA:Be, capital"
                      + " when set.")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new SctpMatch(
              ports(options, "source-port"),
              ports(options, "destination-port"),
              options.has("chunk-types") ? SctpChunks.parse(options, "chunk-types") : null);
        }
      };

  private static PortRange ports(Options options, String option) {
    return options.has(option) ? PortRange.parse(options, option, IpHeader.IPPROTO_SCTP) : null;
  }

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    if (source != null) {
      source.saveAsked(out, "--sport");
    }
    if (destination != null) {
      destination.saveAsked(out, "--dport");
    }
    if (chunks != null) {
      chunks.save(out, "--chunk-types");
    }
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Evaluation(source, destination, chunks == null ? null : chunks.walk());
  }

  private record Evaluation(PortRange source, PortRange destination, SctpChunks.Walk walk)
      implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      conditions.hasTransport();
      if (source != null) {
        source.ask(PacketKey.SOURCE_PORT, conditions);
      }
      if (destination != null) {
        destination.ask(PacketKey.DESTINATION_PORT, conditions);
      }
      return walk == null ? Conditions.Beyond.NOTHING : Conditions.Beyond.ACTS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      if (context.fragmentOffset != 0) {
        return false;
      }
      int sctp = context.transport;
      if (skb.tail - sctp < LENGTH) {
        context.hotdrop = true;
        return false;
      }
      return (source == null || source.matches(skb.u16(sctp)))
          && (destination == null || destination.matches(skb.u16(sctp + 2)))
          && (walk == null || walk.matches(skb, sctp + LENGTH, context));
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      int sctp = context.transport;
      if (context.fragmentOffset != 0) {
        return "a later fragment has no SCTP header";
      }
      if (context.hotdrop) {
        return "malformed or truncated SCTP packet";
      }
      if (source != null && !source.matches(skb.u16(sctp))) {
        return "source port is " + skb.u16(sctp);
      }
      if (destination != null && !destination.matches(skb.u16(sctp + 2))) {
        return "destination port is " + skb.u16(sctp + 2);
      }
      return "its chunks are " + SctpChunks.describe(skb, sctp + LENGTH);
    }
  }
}
