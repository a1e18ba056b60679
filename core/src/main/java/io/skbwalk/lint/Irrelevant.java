// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Rules that can match somewhere, but not on this machine. */
final class Irrelevant {
  private final TableSets anywhere;
  private final TableSets table;
  private final PacketSets sets;
  private final Reach reach;
  private final Examples examples;
  private final Dead dead;
  private final List<Finding> findings;

  /**
   * Of a table.
   *
   * @param anywhere everything sent through it
   * @param table what the machine can get sent through it
   */
  Irrelevant(
      TableSets anywhere,
      TableSets table,
      Reach reach,
      Examples examples,
      Dead dead,
      List<Finding> findings) {
    this.anywhere = anywhere;
    this.table = table;
    this.sets = table.sets;
    this.reach = reach;
    this.examples = examples;
    this.dead = dead;
    this.findings = findings;
  }

  void find() {
    Map<String, List<RuleNode>> missing = new LinkedHashMap<>();
    for (String chain : table.chains.keySet()) {
      if (!table.entered.containsKey(chain)) {
        notEntered(chain);
        continue;
      }
      for (int i = 0; i < table.chains.get(chain).size(); i++) {
        RuleNode node = table.chains.get(chain).get(i);
        if (node.matched == PacketSets.NONE
            && anywhere.chains.get(chain).get(i).matched != PacketSets.NONE) {
          String device = missingInterface(node.rule);
          if (device == null) {
            tell(node);
          } else {
            missing.computeIfAbsent(device, key -> new ArrayList<>()).add(node);
          }
        }
      }
    }
    missing.forEach(this::tellMissing);
  }

  /**
   * FORWARD of a machine that forwards nothing; the chains below it are dead for the same cause.
   */
  private void notEntered(String chain) {
    boolean forward = chain.equals(Hook.FORWARD.chain);
    if (forward && reach.forwardsNothing() && !table.chains.get(chain).isEmpty()) {
      int rules = table.chains.get(chain).size();
      RuleNode first = table.chains.get(chain).get(0);
      dead.addNever(table.chains.get(chain));
      findings.add(
          new Finding(
              Finding.Kind.IRRELEVANT,
              Finding.Place.of(first),
              Unmatched.places(table.chains.get(chain).subList(1, rules)),
              "This machine forwards nothing: net.ipv4.ip_forward is 0.",
              examples.astray(table, first)));
    }
  }

  // ---- interfaces -------------------------------------------------------------------------------

  /** An interface that the rule wants and that is not there, or null. */
  private String missingInterface(Rule rule) {
    String in = rule.basic().notIn() ? "" : rule.basic().in();
    String out = rule.basic().notOut() ? "" : rule.basic().out();
    return isMissing(in) ? in : isMissing(out) ? out : null;
  }

  private boolean isMissing(String device) {
    return !device.isEmpty() && !reach.hasInterface(device);
  }

  private void tellMissing(String device, List<RuleNode> nodes) {
    dead.addNever(nodes);
    findings.add(
        new Finding(
            Finding.Kind.IRRELEVANT,
            Finding.Place.of(nodes.get(0)),
            Unmatched.places(nodes.subList(1, nodes.size())),
            "This machine has no interface "
                + device
                + "; it has "
                + String.join(", ", reach.interfaces())
                + ".",
            null));
  }

  // ---- addresses and routes ---------------------------------------------------------------------

  /**
   * A rule that only gets nothing because those before it have taken all that this machine can get
   * is how people end chains.
   */
  private void tell(RuleNode node) {
    int comes = PacketSets.NONE;
    for (Hook hook : table.kind().hooks) {
      if (table.roots.get(node.chain).contains(hook.chain)) {
        comes = sets.or(comes, table.at(hook));
      }
    }
    List<Asked.Part> parts = Unmatched.fewest(node.parts, comes, sets);
    if (parts != null) {
      dead.addNever(List.of(node));
      findings.add(
          new Finding(
              Finding.Kind.IRRELEVANT,
              Finding.Place.of(node),
              List.of(),
              sentence(String.join(" and ", table.roots.get(node.chain)), parts),
              examples.astray(table, node)));
    }
  }

  private static String sentence(String roots, List<Asked.Part> parts) {
    String words = Unmatched.quoted(parts);
    if (roots.equals(Hook.LOCAL_IN.chain)) {
      return "What comes to INPUT is for this machine, and "
          + words
          + (parts.size() == 1 ? " is not: that is asked in FORWARD." : " is not.");
    }
    if (roots.equals(Hook.FORWARD.chain)) {
      return "No packet that this machine forwards has "
          + words
          + (parts.size() == 1 ? "" : parts.size() == 2 ? " both" : " at once")
          + (parts.stream().anyMatch(part -> part.text().contains("-d "))
              ? "; its routes lead elsewhere."
              : ".");
    }
    return "No packet has " + words + " in " + roots + " of this machine.";
  }
}
