// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.lib.Spelling;
import io.skbwalk.netfilter.tables.RuleSet.Builder;
import java.util.List;

/**
 * Plays struct xt_cmd_parse and what do_command4 does with it: one line of iptables-restore or one
 * run of iptables, read by {@link RuleParser}.
 *
 * @param letter the command's, such as {@code A}
 * @param table its table
 * @param chain the chain that it names, or null
 * @param number the rule's number from 1, 0 for none
 * @param argument the new name or the policy, or null
 * @param counters packets and bytes of {@code -c}, or null
 * @param rules what was given as a rule; several when it lists addresses
 * @param at where the command stands
 */
public record IptablesCommand(
    char letter,
    TableKind table,
    Token chain,
    long number,
    Token argument,
    long[] counters,
    List<Rule> rules,
    SourcePosition at) {
  /** Copies the list. */
  public IptablesCommand {
    rules = List.copyOf(rules);
  }

  /**
   * Changes {@code tables} so, as libiptc would.
   *
   * @throws SourceException when iptables would refuse it
   */
  public void run(Builder tables) {
    tables.table(table);
    switch (letter) {
      case 'A' -> {
        Builder.OpenChain open = existing(tables);
        rules.forEach(rule -> open.append(awaited(tables, rule)));
      }
      case 'I' -> {
        Builder.OpenChain open = existing(tables);
        checkNumber(open.size() + 1);
        rules.forEach(rule -> open.insert((int) number, awaited(tables, rule)));
      }
      case 'R' -> {
        Builder.OpenChain open = existing(tables);
        checkNumber(open.size());
        open.replace((int) number, awaited(tables, rules.get(0)));
      }
      case 'D' -> delete(existing(tables));
      case 'C' -> {
        Builder.OpenChain open = existing(tables);
        rules.forEach(rule -> find(open, rule));
      }
      case 'F' -> each(tables, Builder.OpenChain::flush);
      case 'Z' -> zero(tables);
      case 'N' -> create(tables);
      case 'X' -> drop(tables);
      case 'E' -> rename(tables);
      case 'P' -> setPolicy(tables);
      default -> {
        if (chain != null) {
          existing(tables);
        }
      }
    }
  }

  /**
   * Changes {@code tables} as a run of iptables of its own does. Each that changes a table loses
   * what its policies have counted (asked of Linux 6.18), but for {@code -P} with {@code -c}.
   */
  public void runAlone(Builder tables) {
    run(tables);
    if ("CLS".indexOf(letter) < 0) {
      for (String name : tables.chains(table)) {
        if (letter != 'P' || !name.equals(chain.text())) {
          tables.open(table, name).zeroPolicy();
        }
      }
    }
  }

  private Builder.OpenChain existing(Builder tables) {
    return existing(tables, chain);
  }

  private Builder.OpenChain existing(Builder tables, Token name) {
    Builder.OpenChain open = tables.open(table, name.text());
    if (open == null) {
      throw new SourceException(
          name.at(),
          "table "
              + table
              + " has no chain "
              + name.text()
              + " (yet)"
              + Spelling.hint(name.text(), tables.chains(table)));
    }
    return open;
  }

  /** A chain that a rule jumps to may still come, but from another file: iptables looks now. */
  private Rule awaited(Builder tables, Rule rule) {
    if (rule.action() instanceof Action.ToChain to && !tables.hasChain(table, to.chain())) {
      tables.await(table, to.chain(), rule);
    }
    return rule;
  }

  private void checkNumber(int most) {
    if (number > most) {
      throw new SourceException(
          at,
          "chain "
              + chain
              + " has "
              + (letter == 'I' ? most - 1 : most)
              + " rules, so no "
              + (letter == 'I' ? "place " : "rule ")
              + number);
    }
  }

  private int find(Builder.OpenChain open, Rule rule) {
    int found = open.find(rule);
    if (found == 0) {
      throw new SourceException(at, "chain " + chain + " has no such rule: " + rule.save());
    }
    return found;
  }

  private void delete(Builder.OpenChain open) {
    if (number > 0) {
      checkNumber(open.size());
      open.remove((int) number);
    }
    for (Rule rule : rules) {
      open.remove(find(open, rule));
    }
  }

  private interface Change {
    void make(Builder.OpenChain chain);
  }

  private void each(Builder tables, Change change) {
    if (chain != null) {
      change.make(existing(tables));
    } else {
      tables.chains(table).forEach(name -> change.make(tables.open(table, name)));
    }
  }

  private void zero(Builder tables) {
    if (number > 0) {
      Builder.OpenChain open = existing(tables);
      checkNumber(open.size());
      open.zero((int) number);
    } else {
      each(tables, Builder.OpenChain::zero);
    }
  }

  private void create(Builder tables) {
    if (tables.hasChain(table, chain.text())) {
      throw new SourceException(chain.at(), "there is a chain " + chain + " already");
    }
    tables.create(table, chain);
  }

  private void drop(Builder tables) {
    if (chain != null) {
      existing(tables);
      tables.drop(table, chain.text(), chain.at());
    } else {
      tables.chains(table).stream()
          .filter(name -> table.hook(name) == null)
          .forEach(name -> tables.drop(table, name, at));
    }
  }

  private void rename(Builder tables) {
    existing(tables);
    if (table.hook(chain.text()) != null) {
      throw new SourceException(chain.at(), "a built-in chain keeps its name");
    }
    if (tables.hasChain(table, argument.text())) {
      throw new SourceException(argument.at(), "there is a chain " + argument + " already");
    }
    tables.rename(table, chain.text(), argument);
  }

  private void setPolicy(Builder tables) {
    existing(tables);
    if (table.hook(chain.text()) == null) {
      throw new SourceException(chain.at(), "only a built-in chain has a policy");
    }
    long[] count = counters == null ? new long[2] : counters;
    tables.policy(table, chain.text(), policy(argument), count[0], count[1]);
  }

  /** ACCEPT or DROP. */
  public static Action.Standard policy(Token word) {
    return switch (word.text()) {
      case "ACCEPT" -> Action.Standard.ACCEPT;
      case "DROP" -> Action.Standard.DROP;
      default ->
          throw new SourceException(
              word.at(), "a policy is ACCEPT or DROP, not \"" + word.text() + "\"");
    };
  }

  /** Refuses what cannot be the name of a user chain. */
  public static void checkChainName(String name, SourcePosition at) {
    if (!canBeChain(name)) {
      throw new SourceException(
          at, "a chain's name has 1 to 28 characters, does not begin with - or ! and has no blank");
    }
    if (Action.Standard.of(name) != null || Extensions.target(name) != null) {
      throw new SourceException(at, "a chain may not be called like the target " + name);
    }
  }

  /** Is it 1 to 28 characters without a blank that do not begin with - or !? */
  static boolean canBeChain(String name) {
    return !name.isEmpty()
        && name.length() <= 28
        && name.charAt(0) != '-'
        && name.charAt(0) != '!'
        && name.chars().noneMatch(c -> c == ' ' || c >= '\t' && c <= '\r');
  }
}
