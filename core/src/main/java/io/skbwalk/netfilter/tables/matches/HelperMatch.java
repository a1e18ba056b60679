// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackHelp;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.Quoting;
import io.skbwalk.netfilter.tables.index.Conditions;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_helper: packets of connections that a helper expected, not those of the connection that
 * it looks into.
 *
 * @param name of the helper; empty for any
 */
public record HelperMatch(String name, boolean inverted) implements Match {
  private static final int MAX_NAME = 29;

  /** {@code -m helper}. */
  public static final MatchType TYPE =
      new MatchType(
          "helper",
          "Connections that a helper has announced.",
          OptionSpec.value("helper")
              .inverted()
              .needed()
              .about("The helper's name; \"\" for any.", "ftp")) {
        @Override
        public Match parse(Options options, int protocol) {
          String name = options.text("helper");
          if (name.length() > MAX_NAME) {
            throw options.error("helper", "a helper's name has at most 29 letters");
          }
          return new HelperMatch(name, options.inverted("helper"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --helper" : " --helper");
    Quoting.append(out, name);
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new Bound(name, inverted, environment.conntrack());
  }

  private record Bound(String name, boolean inverted, Conntrack conntrack) implements PacketMatch {
    @Override
    public Conditions.Beyond asks(Conditions conditions) {
      return Conditions.Beyond.READS;
    }

    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      ConntrackHelp help = masterHelp(skb);
      // Linux compares as many letters as the helper's own name has, so ftp is called ftpd, too.
      return (help != null && (name.isEmpty() || name.startsWith(help.helper().name))) != inverted;
    }

    private ConntrackHelp masterHelp(SkBuff skb) {
      int master = skb.ct == 0 ? 0 : conntrack.master(skb.ct);
      return master == 0 ? null : conntrack.help(master);
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      ConntrackHelp help = masterHelp(skb);
      return help == null
          ? "no helper has announced this connection"
          : "the helper " + help.helper().name + " has announced this connection";
    }
  }
}
