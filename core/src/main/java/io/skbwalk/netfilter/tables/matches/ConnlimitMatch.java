// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.conntrack.ConnectionCount;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_connlimit: how many connections a host or network has, this packet's included. What it
 * counts are connections whose packets have come to this very rule.
 *
 * @param limit without a sign
 * @param upTo up to the limit matches; else what is above it
 * @param length of the prefix of an address that is counted together
 * @param destination the destination's connections are counted; else the source's
 */
public record ConnlimitMatch(long limit, boolean upTo, int length, boolean destination)
    implements Match {
  /** {@code -m connlimit}. */
  public static final MatchType TYPE =
      new MatchType(
          "connlimit",
          "How many connections a host or network has at once.",
          OptionSpec.value("connlimit-upto").inverted().about("At most so many.", "10"),
          OptionSpec.value("connlimit-above").inverted().about("More than so many.", "10"),
          OptionSpec.value("connlimit-mask")
              .about("Hosts with this prefix are counted together.", "24"),
          OptionSpec.flag("connlimit-saddr")
              .about("The source's connections, which is the default."),
          OptionSpec.flag("connlimit-daddr").about("The destination's connections.")) {
        @Override
        public Match parse(Options options, int protocol) {
          String option = options.oneOf(true, "connlimit-upto", "connlimit-above");
          options.oneOf(false, "connlimit-saddr", "connlimit-daddr");
          return new ConnlimitMatch(
              options.number(option, 0, 0xFFFFFFFFL, 0),
              option.equals("connlimit-upto") != options.inverted(option),
              options.has("connlimit-mask")
                  ? options.prefixLength("connlimit-mask", options.text("connlimit-mask"))
                  : 32,
              options.has("connlimit-daddr"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(upTo ? " --connlimit-upto " : " --connlimit-above ").append(limit);
    out.append(" --connlimit-mask ").append(length);
    out.append(destination ? " --connlimit-daddr" : " --connlimit-saddr");
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    Conntrack conntrack = environment.conntrack();
    return new Evaluation(this, conntrack, new ConnectionCount(conntrack));
  }

  private static final class Evaluation implements PacketMatch {
    private final ConnlimitMatch asked;
    private final Conntrack conntrack;
    private final ConnectionCount count;
    private final int mask;
    private int connections;

    Evaluation(ConnlimitMatch asked, Conntrack conntrack, ConnectionCount count) {
      this.asked = asked;
      this.conntrack = conntrack;
      this.count = count;
      this.mask = Ip4.mask(asked.length);
    }

    private int key(SkBuff skb) {
      return (asked.destination ? IpHeader.destination(skb) : IpHeader.source(skb)) & mask;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      int zone = skb.ct == 0 ? 0 : conntrack.zoneId(skb.ct);
      connections = count.count(skb, key(skb), zone);
      if (connections == 0) {
        context.hotdrop = true;
        return false;
      }
      return connections > asked.limit != asked.upTo;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      if (connections == 0) {
        return "nothing is left to count: Linux drops such a packet";
      }
      return Ip4.format(key(skb))
          + "/"
          + asked.length
          + (connections == 1 ? " has 1 connection" : " has " + connections + " connections");
    }
  }
}
