// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.lib.SourcePosition;
import java.util.List;

/**
 * Something about a rule set that its author should hear.
 *
 * @param kind what it is about
 * @param about the rule or chain that is meant
 * @param causes the rules because of which it is so, in order; may be empty
 * @param sentence what is the matter, for a person
 * @param example a packet that shows it and that the engine has confirmed, or null
 */
public record Finding(
    Kind kind, Place about, List<Place> causes, String sentence, Example example) {
  /** What findings are about. */
  public enum Kind {
    /** What a rule asks for excludes itself. */
    CONTRADICTION("contradiction", "can never match", true),
    /** Earlier rules, or the way into the chain, leave nothing for it. */
    SHADOWED("shadowed", "can never match", true),
    /** A drop behind an accept of everything. */
    ACCEPT_ALL("accept-all", "can never match", true),
    /** The machine has no such interface, address or route. */
    IRRELEVANT("irrelevant", "can never match on this machine", true),
    /** No rule leads into a chain. */
    UNREACHED_CHAIN("unreached-chain", "is never entered"),
    /** The same verdict follows without the rule. */
    REDUNDANT("redundant", "changes nothing", true),
    /** A jump or RETURN that leads nowhere else. */
    NO_EFFECT("no-effect", "does nothing", true),
    /** Connections are let in, and what follows in them is not. */
    NEW_ONLY("new-only", "lets connections begin but not go on"),
    /** Connections are sent where none of them is let in. */
    DNAT_DROPPED("dnat-dropped", "leads to where everything is dropped"),
    /** A service's port as source stands for "answers only". */
    REPLY_PORT("reply-port", "lets in more than answers"),
    /** Nothing in the capture matched. */
    UNUSED("unused", "matched nothing in the capture"),
    /** A rule that matches much stands behind rules that match little. */
    ORDER("order", "could stand earlier");

    /** As JSON names it. */
    public final String label;

    /** What stands behind the rule's name. */
    public final String headline;

    /** Its rules may be taken out. */
    final boolean goes;

    Kind(String label, String headline) {
      this(label, headline, false);
    }

    Kind(String label, String headline, boolean goes) {
      this.label = label;
      this.headline = headline;
      this.goes = goes;
    }
  }

  /**
   * A rule, or with number 0 a chain.
   *
   * @param rule as iptables-save prints it, without {@code -A CHAIN}
   */
  public record Place(String table, String chain, int number, String rule, SourcePosition at) {
    static Place of(RuleNode node) {
      return new Place(node.table.label, node.chain, node.number, node.rule.save(), node.rule.at());
    }

    static Place ofChain(TableSets table, String chain) {
      return new Place(table.kind().label, chain, 0, "", table.table.chain(chain).at());
    }

    /** {@code table/chain#number}, or {@code table/chain}. */
    public String label() {
      return table + "/" + chain + (number == 0 ? "" : "#" + number);
    }
  }

  /**
   * A packet that shows it: typed, as {@code skbwalk walk --send} takes it, or one of a capture.
   *
   * @param machine the options that describe the machine, such as {@code --as 192.0.2.1}; may be
   *     empty
   * @param capture the capture that it is in; null when it is typed
   * @param number its number there, from 1
   * @param before typed packets that come before it
   * @param packet the packet; of a captured one, a description
   * @param outcome what becomes of it
   */
  public record Example(
      String machine,
      String capture,
      long number,
      List<String> before,
      String packet,
      String outcome) {
    /** Copies the list. */
    public Example {
      before = List.copyOf(before);
    }

    static Example typed(String machine, String packet, String outcome) {
      return new Example(machine, null, 0, List.of(), packet, outcome);
    }
  }

  /** Copies the list. */
  public Finding {
    causes = List.copyOf(causes);
  }

  /** The same in other words. */
  Finding saying(String words) {
    return new Finding(kind, about, causes, words, example);
  }

  /** The same with that example. */
  Finding shownBy(Example one) {
    return new Finding(kind, about, causes, sentence, one);
  }
}
