// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.conntrack.ConntrackLabels;
import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.netfilter.tables.RefusedException;
import io.skbwalk.netfilter.tables.RulePlace;
import io.skbwalk.skb.SkBuff;

/**
 * Plays xt_connlabel: is a label of the packet's connection set? Or sets it and matches.
 *
 * @param label its number in decimal, or its name
 * @param inverted matches when it is not set
 * @param set sets it when it is not
 */
public record ConnlabelMatch(String label, boolean inverted, boolean set) implements Match {
  /** {@code -m connlabel}. */
  public static final MatchType TYPE =
      new MatchType(
          "connlabel",
          "A label of the connection.",
          OptionSpec.value("label")
              .inverted()
              .needed()
              .about("Its number (0 to 127), or its name in the host's connlabels.", "5"),
          OptionSpec.flag("set").about("Sets the label, and matches.")) {
        @Override
        public Match parse(Options options, int protocol) {
          String label = options.text("label");
          if (label.isEmpty()) {
            throw options.error("label", "--label takes the number or the name of a label");
          }
          // iptables keeps 16 bits of the number.
          int number = (int) Options.integer(label);
          return new ConnlabelMatch(
              number < 0 ? label : Integer.toString(number & 0xFFFF),
              options.inverted("label"),
              options.has("set"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --label \"" : " --label \"").append(label).append('"');
    out.append(set ? " --set" : "");
  }

  private boolean isNumber() {
    return Options.integer(label) >= 0;
  }

  @Override
  public String refusal(RulePlace place) {
    return isNumber() && Options.integer(label) > ConntrackLabels.MAX
        ? "there are labels 0 to " + ConntrackLabels.MAX + ", not " + label
        : null;
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    ConntrackLabels labels = environment.conntrack().labels();
    int bit = isNumber() ? (int) Options.integer(label) : labels.number(label);
    if (bit < 0) {
      throw new RefusedException("no label is called " + label);
    }
    labels.use();
    return new Bit(this, bit, labels);
  }

  private record Bit(ConnlabelMatch asked, int bit, ConntrackLabels labels) implements PacketMatch {
    @Override
    public boolean matches(SkBuff skb, PacketContext context) {
      int ct = skb.ct;
      if (ct == 0 || !labels.exist(ct)) {
        return asked.inverted;
      }
      boolean has = labels.has(ct, bit);
      if (!has && asked.set) {
        labels.set(ct, bit);
        has = true;
      }
      return has != asked.inverted;
    }

    @Override
    public String explain(SkBuff skb, PacketContext context) {
      if (skb.ct == 0) {
        return "no connection";
      }
      if (!labels.exist(skb.ct)) {
        return "the connection began before any rule used labels, so it has none";
      }
      return "label " + asked.label + (labels.has(skb.ct, bit) ? " is set" : " is not set");
    }

    @Override
    public void destroy() {
      labels.release();
    }
  }
}
