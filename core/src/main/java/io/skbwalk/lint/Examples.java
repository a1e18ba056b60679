// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostException;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.Names;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Machine;
import io.skbwalk.replay.Replay;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes packets that show a finding, sends each through a machine under the rules, and keeps it
 * only when the machine does what the finding says.
 */
final class Examples {
  private static final long START = 1_767_225_600_000_000_000L;
  private static final int MOST = 200;
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int ICMP = 1;
  private static final int SYN = 2;
  private static final int ECHO_REQUEST = 8;

  private final RuleSet rules;

  /** The machine, or null when one is made up around each packet. */
  private final HostDescription host;

  private final String hostFile;
  private int tried;

  Examples(RuleSet rules, HostDescription host, String hostFile) {
    this.rules = rules;
    this.host = host;
    this.hostFile = hostFile;
  }

  /** A packet of {@code set} that {@code taker} decides on before {@code missed} could see it. */
  Finding.Example taken(TableSets table, int set, RuleNode taker, RuleNode missed) {
    return shown(
        table,
        set,
        record -> matched(record, taker) && !matched(record, missed),
        taker.rule.action().label() + " by " + label(taker));
  }

  /** A packet of {@code set} that {@code rule} accepts. */
  Finding.Example decided(TableSets table, int set, RuleNode rule) {
    return shown(
        table,
        set,
        record -> matched(record, rule),
        rule.rule.action().label() + " by " + label(rule));
  }

  private static String label(RuleNode node) {
    return node.table.label + "/" + node.chain + "#" + node.number;
  }

  private static boolean matched(FrameRecord record, RuleNode node) {
    for (RuleReference rule : record.rules) {
      if (rule.table() == node.table
          && rule.chain().equals(node.chain)
          && rule.number() == node.number) {
        return true;
      }
    }
    return false;
  }

  private interface Check {
    boolean holds(FrameRecord record);
  }

  private Finding.Example shown(TableSets table, int set, Check check, String outcome) {
    if (tried++ >= MOST) {
      return null;
    }
    for (String device : devices()) {
      Typed typed = typed(table, set, device);
      if (typed == null) {
        continue;
      }
      HostDescription machine = host != null ? host : Machine.of(typed.to, 24).description();
      FrameRecord record = sent(machine, typed.text);
      if (record != null && check.holds(record)) {
        String options = host != null ? "--host " + hostFile : "--as " + Ip4.format(typed.to);
        return new Finding.Example(options, List.of(), typed.text, outcome);
      }
    }
    return null;
  }

  private FrameRecord sent(HostDescription machine, String text) {
    FrameRecord[] last = new FrameRecord[1];
    try {
      Host one = new Host(machine, rules, null, START, 1);
      Replay replay = new Replay(one, false, Replay.Answers.STACK, null, null);
      replay.add(record -> last[0] = record);
      replay.runTyped(List.of(TypedPacket.parse("example", text, machine)));
      replay.finish();
    } catch (SourceException | HostException e) {
      // This machine cannot have these rules, or no such packet: there is nothing to show.
      return null;
    }
    return last[0];
  }

  // ---- one packet of many -----------------------------------------------------------------------

  private record Typed(String text, int to) {}

  private List<String> devices() {
    if (host == null) {
      return List.of("eth0");
    }
    List<String> names = new ArrayList<>();
    for (HostDescription.Interface one : host.interfaces()) {
      if (!one.name().equals("lo") && one.vlanLink() == null) {
        names.add(one.name());
      }
    }
    return names;
  }

  /** The plainest packet of {@code set} that can come in on {@code device}; null for none. */
  private Typed typed(TableSets table, int set, String device) {
    PacketFields fields = table.fields;
    PacketSets sets = table.sets;
    int at = sets.and(set, fields.interfaceHas(PacketFields.IN, device));
    at = sets.and(at, fields.is(PacketFields.FRAGMENT, 0));
    at = sets.and(at, fields.is(PacketFields.MARK, 0));
    at = sets.and(at, fields.is(PacketFields.STATE, PacketFields.NEW));
    at = sets.and(at, sets.not(fields.states(3 << 5)));
    int kinds = sets.or(protocol(fields, TCP), protocol(fields, UDP));
    at = sets.and(at, sets.or(kinds, protocol(fields, ICMP)));
    at = prefer(sets, at, fields.noInterface(PacketFields.OUT));
    at = prefer(sets, at, protocol(fields, TCP));
    at = prefer(sets, at, protocol(fields, UDP));
    at = prefer(sets, at, fields.is(PacketFields.FLAGS, SYN));
    at = prefer(sets, at, fields.is(PacketFields.ICMP_TYPE, ECHO_REQUEST));
    at = prefer(sets, at, fields.is(PacketFields.ICMP_CODE, 0));
    for (int port : new int[] {22, 443, 80, 53}) {
      at = prefer(sets, at, fields.is(PacketFields.DESTINATION_PORT, port));
    }
    at = prefer(sets, at, fields.is(PacketFields.SOURCE_PORT, 40_000));
    if (host != null) {
      for (HostDescription.Interface one : host.interfaces()) {
        for (HostDescription.Address own : one.addresses()) {
          at = prefer(sets, at, fields.is(PacketFields.DESTINATION, own.address()));
        }
      }
    }
    at = prefer(sets, at, fields.is(PacketFields.DESTINATION, Ip4.parse("203.0.113.1")));
    at = prefer(sets, at, fields.is(PacketFields.SOURCE, Ip4.parse("198.51.100.9")));
    at = prefer(sets, at, fields.masked(PacketFields.DESTINATION, 1, 0xFF));
    at = prefer(sets, at, fields.masked(PacketFields.SOURCE, 9, 0xFF));
    if (at == PacketSets.NONE) {
      return null;
    }
    byte[] packet = sets.some(at, PacketFields.BITS + PacketFields.MOST_OPAQUE);
    String from = Ip4.format(PacketFields.number(packet, PacketFields.SOURCE));
    int to = PacketFields.number(packet, PacketFields.DESTINATION);
    int protocol = PacketFields.number(packet, PacketFields.PROTOCOL);
    StringBuilder text = new StringBuilder(device).append(' ');
    text.append(Names.protocol(protocol)).append(' ').append(from);
    if (protocol != ICMP) {
      text.append(':').append(PacketFields.number(packet, PacketFields.SOURCE_PORT));
    }
    text.append(" > ").append(Ip4.format(to));
    if (protocol == ICMP) {
      int type = PacketFields.number(packet, PacketFields.ICMP_TYPE);
      int code = PacketFields.number(packet, PacketFields.ICMP_CODE);
      text.append(type == ECHO_REQUEST ? "" : " " + type).append(code == 0 ? "" : " code=" + code);
    } else {
      text.append(':').append(PacketFields.number(packet, PacketFields.DESTINATION_PORT));
      text.append(protocol == TCP ? flags(PacketFields.number(packet, PacketFields.FLAGS)) : "");
    }
    return new Typed(text.toString(), to);
  }

  private static int protocol(PacketFields fields, int number) {
    return fields.is(PacketFields.PROTOCOL, number);
  }

  /** What is also in {@code wanted}, if anything is. */
  private static int prefer(PacketSets sets, int set, int wanted) {
    int both = sets.and(set, wanted);
    return both == PacketSets.NONE ? set : both;
  }

  private static String flags(int bits) {
    StringBuilder text = new StringBuilder(" ");
    for (int i = 0; i < 6; i++) {
      text.append((bits >>> i & 1) != 0 ? "FSRPAU".substring(i, i + 1) : "");
    }
    return bits == 0 ? " flags=\"\"" : text.toString();
  }
}
