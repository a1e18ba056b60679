// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.lib.Ip4;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.nat.NatRange;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.Target;
import io.skbwalk.netfilter.tables.targets.DnatTarget;
import io.skbwalk.netfilter.tables.targets.RedirectTarget;
import java.util.ArrayList;
import java.util.List;

/**
 * Rules that give connections another destination, to which the table filter then lets none of
 * them: it sees the new address and port.
 */
final class Translated {
  private final TableSets nat;
  private final TableSets filter;
  private final Asked asked;
  private final PacketSets sets;
  private final PacketFields fields;
  private final Examples examples;
  private final List<Finding> findings;

  Translated(TableSets nat, TableSets filter, Examples examples, List<Finding> findings) {
    this.nat = nat;
    this.filter = filter;
    this.asked = new Asked(filter.fields);
    this.sets = filter.sets;
    this.fields = filter.fields;
    this.examples = examples;
    this.findings = findings;
  }

  void find() {
    for (String chain : nat.below(Hook.PRE_ROUTING.chain)) {
      for (RuleNode node : nat.chains.get(chain)) {
        Target target =
            node.rule.action() instanceof Action.Extension extension ? extension.target() : null;
        if (node.matched == PacketSets.NONE) {
          continue;
        }
        if (target instanceof DnatTarget dnat) {
          look(node, dnat.range(), List.of(Hook.LOCAL_IN, Hook.FORWARD));
        } else if (target instanceof RedirectTarget redirect) {
          look(node, redirect.range(), List.of(Hook.LOCAL_IN));
        }
      }
    }
  }

  private void look(RuleNode node, NatRange range, List<Hook> hooks) {
    int before = PacketSets.ALL;
    for (Asked.Part part : asked.parts(node.rule)) {
      before = sets.and(before, part.set());
    }
    before = fields.forgetOpaque(fields.forget(before, PacketFields.MARK));
    int after = translated(before, range);
    int here = PacketSets.NONE;
    List<RuleNode> early = new ArrayList<>();
    List<String> chains = new ArrayList<>();
    for (Hook hook : hooks) {
      int came = sets.and(fields.forget(after, PacketFields.OUT), filter.at(hook));
      if (came == PacketSets.NONE) {
        continue;
      }
      here = sets.or(here, sets.and(came, filter.accepted(hook)));
      chains.add(hook.chain);
      int untranslated = sets.and(fields.forget(before, PacketFields.OUT), filter.at(hook));
      for (String chain : filter.below(hook.chain)) {
        for (RuleNode rule : filter.chains.get(chain)) {
          if (rule.rule.action() == Action.Standard.ACCEPT
              && namesPort(rule)
              && sets.and(rule.matched, untranslated) != PacketSets.NONE
              && !early.contains(rule)) {
            early.add(rule);
          }
        }
      }
    }
    if (here != PacketSets.NONE || chains.isEmpty()) {
      return;
    }
    findings.add(
        new Finding(
            Finding.Kind.DNAT_DROPPED,
            Finding.Place.of(node),
            Unmatched.places(early),
            "It sends connections to "
                + to(range)
                + ", but "
                + String.join(" and ", chains)
                + (chains.size() == 1 ? " accepts" : " accept")
                + " none of them"
                + (early.isEmpty()
                    ? "."
                    : "; rules there accept the old address and port, and see the new ones."),
            examples.droppedBehind(
                nat, node, range.has(NatRange.MAP_IPS) ? range.minAddress() : 0)));
  }

  private boolean namesPort(RuleNode rule) {
    return fields.forget(rule.asked, PacketFields.DESTINATION_PORT) != rule.asked
        || fields.forget(rule.asked, PacketFields.DESTINATION) != rule.asked;
  }

  /** The first packet of each connection, as it is behind the rule. */
  private int translated(int before, NatRange range) {
    int set = sets.and(before, fields.is(PacketFields.STATE, PacketFields.NEW));
    set = fields.forget(set, PacketFields.STATE);
    set = fields.forget(set, PacketFields.DNAT);
    set = sets.and(set, fields.is(PacketFields.STATE, PacketFields.NEW));
    set = fields.forget(set, PacketFields.DESTINATION);
    if (range.has(NatRange.MAP_IPS)) {
      set =
          sets.and(
              set,
              fields.between(
                  PacketFields.DESTINATION,
                  Integer.toUnsignedLong(range.minAddress()),
                  Integer.toUnsignedLong(range.maxAddress())));
    }
    if (range.has(NatRange.PROTO_SPECIFIED)) {
      set = fields.forget(set, PacketFields.DESTINATION_PORT);
      set =
          sets.and(
              set,
              range.has(NatRange.PROTO_OFFSET)
                  ? PacketSets.ALL
                  : fields.between(
                      PacketFields.DESTINATION_PORT, range.minPort(), range.maxPort()));
    }
    return set;
  }

  private static String to(NatRange range) {
    StringBuilder text = new StringBuilder();
    if (range.has(NatRange.MAP_IPS)) {
      text.append(Ip4.format(range.minAddress()));
      if (range.maxAddress() != range.minAddress()) {
        text.append('-').append(Ip4.format(range.maxAddress()));
      }
    } else {
      text.append("this machine");
    }
    if (range.has(NatRange.PROTO_SPECIFIED)) {
      text.append(range.has(NatRange.MAP_IPS) ? ":" : ", port ").append(range.minPort());
      if (range.maxPort() != range.minPort()) {
        text.append('-').append(range.maxPort());
      }
    }
    return text.toString();
  }
}
