// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.Environment;
import io.skbwalk.netfilter.tables.Match;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import io.skbwalk.netfilter.tables.Options;
import io.skbwalk.netfilter.tables.PacketMatch;

/** Plays xt_state, which today is xt_conntrack's states under an older name. */
public record StateMatch(int states, boolean inverted) implements Match {
  /** {@code -m state}. */
  public static final MatchType TYPE =
      new MatchType(
          "state",
          "Older name of conntrack's ctstate.",
          OptionSpec.value("state")
              .inverted()
              .needed()
              .about("NEW, ESTABLISHED, RELATED, INVALID or UNTRACKED.", "RELATED,ESTABLISHED")) {
        @Override
        public Match parse(Options options, int protocol) {
          return new StateMatch(
              ConnectionStates.parse(options, "state", false), options.inverted("state"));
        }
      };

  @Override
  public MatchType type() {
    return TYPE;
  }

  @Override
  public void save(StringBuilder out) {
    out.append(inverted ? " ! --state " : " --state ").append(ConnectionStates.text(states));
  }

  @Override
  public boolean needsConntrack() {
    return true;
  }

  @Override
  public PacketMatch bind(Environment environment) {
    return new ConnectionStates(states, inverted, environment.conntrack());
  }
}
