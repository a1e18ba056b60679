// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourcePosition;
import java.util.List;

/**
 * Plays struct ipt_entry: one rule as it was written, immutable.
 *
 * @param basic what is asked without {@code -m}
 * @param matches in order
 * @param action what it does
 * @param packets the counter that it starts with
 * @param bytes the counter that it starts with
 * @param at where it was written
 */
public record Rule(
    BasicMatch basic,
    List<Match> matches,
    Action action,
    long packets,
    long bytes,
    SourcePosition at) {
  /** Copies the list. */
  public Rule {
    matches = List.copyOf(matches);
  }

  /** The rule as iptables-save prints it, without {@code -A CHAIN} and without a leading blank. */
  public String save() {
    StringBuilder out = new StringBuilder();
    basic.save(out);
    for (Match match : matches) {
      out.append(" -m ").append(match.type().name);
      match.save(out);
    }
    if (!(action instanceof Action.Nothing)) {
      boolean goTo = action instanceof Action.ToChain to && to.goTo();
      out.append(goTo ? " -g " : " -j ").append(action.label());
    }
    if (action instanceof Action.Extension extension) {
      extension.target().save(out);
    }
    return out.length() == 0 ? "" : out.substring(1);
  }

  /** The same with other counters. */
  public Rule counted(long otherPackets, long otherBytes) {
    return new Rule(basic, matches, action, otherPackets, otherBytes, at);
  }

  /** The same, but where it jumps to chain {@code from} it jumps to {@code to}. */
  Rule jumpingTo(String from, String to) {
    return action instanceof Action.ToChain jump && jump.chain().equals(from)
        ? new Rule(basic, matches, new Action.ToChain(to, jump.goTo()), packets, bytes, at)
        : this;
  }

  /** Does it ask and do the same, whatever its counters? */
  public boolean isLike(Rule other) {
    return basic.equals(other.basic)
        && matches.equals(other.matches)
        && action.equals(other.action);
  }

  /** Does something in it need conntrack? */
  public boolean needsConntrack() {
    for (Match match : matches) {
      if (match.needsConntrack()) {
        return true;
      }
    }
    return action instanceof Action.Extension extension && extension.target().needsConntrack();
  }

  /** True when a match or the target needs whole packets. */
  public boolean needsDefragmentation() {
    return matches.stream().anyMatch(Match::needsDefragmentation)
        || action instanceof Action.Extension extension
            && extension.target().needsDefragmentation();
  }
}
