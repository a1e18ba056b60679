// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.Action;
import io.skbwalk.netfilter.tables.TableKind;
import java.util.List;

/** Rules that take the first packet of a connection, or a port, for the whole connection. */
final class Stateless {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int SYN = 2;
  private static final int LAST_SERVICE = 1023;

  private final TableSets table;
  private final PacketSets sets;
  private final PacketFields fields;
  private final Examples examples;
  private final Dead dead;
  private final List<Finding> findings;

  Stateless(TableSets table, Examples examples, Dead dead, List<Finding> findings) {
    this.table = table;
    this.sets = table.sets;
    this.fields = table.fields;
    this.examples = examples;
    this.dead = dead;
    this.findings = findings;
  }

  void find() {
    if (table.kind() != TableKind.FILTER) {
      return;
    }
    for (Hook hook : table.kind().hooks) {
      int accepted = table.accepted(hook);
      for (String chain : table.below(hook.chain)) {
        for (RuleNode node : table.chains.get(chain)) {
          int here = sets.and(node.matched, table.at(hook));
          boolean accepts = node.rule.action() == Action.Standard.ACCEPT;
          if (accepts && here != PacketSets.NONE && !dead.never(node)) {
            newOnly(node, here, accepted, hook);
            if (hook != Hook.LOCAL_OUT) {
              replyPort(node, here);
            }
          }
        }
      }
    }
  }

  private void newOnly(RuleNode node, int here, int accepted, Hook hook) {
    if (!sets.within(node.asked, fields.is(PacketFields.STATE, PacketFields.NEW))) {
      return;
    }
    int later =
        sets.and(
            fields.forgetOpaque(
                fields.forget(fields.forget(here, PacketFields.STATE), PacketFields.FLAGS)),
            fields.is(PacketFields.STATE, PacketFields.ESTABLISHED));
    if (sets.and(later, accepted) == PacketSets.NONE) {
      findings.add(
          new Finding(
              Finding.Kind.NEW_ONLY,
              Finding.Place.of(node),
              List.of(),
              "It accepts the first packet of a connection, but nothing in "
                  + hook.chain
                  + " accepts the ones that follow, whose state is ESTABLISHED.",
              examples.begun(table, hook, here, node)));
    }
  }

  private void replyPort(RuleNode node, int here) {
    int connections = sets.or(fields.is(PacketFields.PROTOCOL, TCP), udp());
    int services = fields.between(PacketFields.SOURCE_PORT, 0, LAST_SERVICE);
    boolean answersOnly =
        sets.within(node.asked, sets.and(connections, services))
            && node.sure
            && free(node.asked, PacketFields.DESTINATION_PORT)
            && free(node.asked, PacketFields.SOURCE)
            && free(node.asked, PacketFields.STATE);
    int strangers = sets.and(here, fields.is(PacketFields.STATE, PacketFields.NEW));
    strangers = sets.and(strangers, sets.or(udp(), fields.masked(PacketFields.FLAGS, SYN, 0x17)));
    strangers = sets.minus(strangers, fields.interfaceIs(PacketFields.IN, "lo"));
    strangers = sets.and(strangers, fields.between(PacketFields.DESTINATION_PORT, 1, LAST_SERVICE));
    if (answersOnly && strangers != PacketSets.NONE) {
      findings.add(
          new Finding(
              Finding.Kind.REPLY_PORT,
              Finding.Place.of(node),
              List.of(),
              "Whoever sends from that port gets in, to any port; for answers only, ask for"
                  + " --ctstate ESTABLISHED instead.",
              examples.decided(table, strangers, node)));
    }
  }

  private int udp() {
    return fields.is(PacketFields.PROTOCOL, UDP);
  }

  private boolean free(int set, PacketFields.Field field) {
    return fields.forget(set, field) == set;
  }
}
