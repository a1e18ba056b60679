// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Jhash;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.StatelessMatch;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import java.util.Locale;

/**
 * Plays xt_cluster: which node of a cluster that sees all packets is responsible for the
 * connection, by a hash of its source.
 *
 * @param nodes bits of the node numbers less one
 */
public record ClusterMatch(int total, int nodes, boolean inverted, int seed)
    implements StatelessMatch {
  private static final int MOST = 32;

  /** {@code -m cluster}. */
  public static final MatchType TYPE =
      new MatchType(
          "cluster",
          "Which node of a cluster is responsible for the connection, by a hash of its source.",
          OptionSpec.value("cluster-total-nodes")
              .needed()
              .about("How many nodes there are: 1 to 32.", "2"),
          OptionSpec.value("cluster-local-node")
              .inverted()
              .about("The number of this node, from 1.", "1"),
          OptionSpec.value("cluster-local-nodemask")
              .inverted()
              .about("The numbers that this node stands for, as bits; 1 to 32.", "3"),
          OptionSpec.value("cluster-hash-seed")
              .needed()
              .about("What the hash begins with, the same on all nodes.", "0xdeadbeef")) {
        @Override
        public Match parse(Options options, int protocol) {
          int total = (int) options.number("cluster-total-nodes", 1, MOST, 0);
          String option = options.oneOf(true, "cluster-local-node", "cluster-local-nodemask");
          int number = (int) options.number(option, 1, MOST, 0);
          int nodes = option.equals("cluster-local-node") ? 1 << number - 1 : number;
          if ((nodes & 0xFFFFFFFFL) >= 1L << total) {
            throw options.error(
                option, "--" + option + " is beyond the " + total + " nodes that there are");
          }
          return new ClusterMatch(
              total,
              nodes,
              options.inverted(option),
              (int) options.number("cluster-hash-seed", 0, 0xFFFFFFFFL, 0));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(
        String.format(
            Locale.ROOT,
            "%s --cluster-local-nodemask 0x%08x --cluster-total-nodes %d"
                + " --cluster-hash-seed 0x%08x",
            inverted ? " !" : "",
            nodes,
            total,
            seed));
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public boolean matches(SkBuff skb, PacketContext context) {
    // A cluster answers ARP with a group's address; the packet itself is for one machine.
    if (skb.pktType == SkBuff.PACKET_MULTICAST && !Ip4.isMulticast(IpHeader.destination(skb))) {
      skb.pktType = SkBuff.PACKET_HOST;
    }
    Conntrack conntrack = context.environment.conntrack();
    if (skb.ct == 0 || conntrack.has(skb.ct, ConntrackStatus.IPS_TEMPLATE)) {
      return false;
    }
    return ((nodes >>> node(conntrack, skb.ct) & 1) != 0) != inverted;
  }

  /** Number of the responsible node less one. */
  private int node(Conntrack conntrack, int ct) {
    int master = conntrack.master(ct);
    int source = conntrack.source(master != 0 ? master : ct, ConntrackInfo.ORIGINAL);
    // The kernel hashes addresses as they lie in memory: those of a little-endian machine.
    long hash = Jhash.words(Integer.reverseBytes(source), seed) & 0xFFFFFFFFL;
    return (int) (hash * total >>> 32);
  }

  @Override
  public String explain(SkBuff skb, PacketContext context) {
    Conntrack conntrack = context.environment.conntrack();
    if (skb.ct == 0 || conntrack.has(skb.ct, ConntrackStatus.IPS_TEMPLATE)) {
      return "no connection";
    }
    return "node " + (node(conntrack, skb.ct) + 1) + " is responsible for the connection";
  }
}
