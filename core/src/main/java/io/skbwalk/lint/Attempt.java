// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostException;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.TypedPacket;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import java.util.ArrayList;
import java.util.List;

/**
 * A packet to try on a machine, with those of its connection that come before it.
 *
 * @param options of walk, that describe the machine
 */
record Attempt(
    String options, HostDescription machine, List<PlainPacket> before, PlainPacket packet) {
  private static final long START = 1_767_225_600_000_000_000L;

  /** Copies the list. */
  Attempt {
    before = List.copyOf(before);
  }

  /**
   * Both sides of a connection are typed, and one of them is this machine: its stack, which knows
   * no such connection, keeps out of it.
   */
  private boolean speaksForTheMachine() {
    return !before.isEmpty()
        && (packet.device() == null || before.stream().anyMatch(one -> one.device() == null));
  }

  /** What became of each packet under {@code rules}; null when this cannot be tried. */
  List<FrameRecord> under(RuleSet rules) {
    List<FrameRecord> records = new ArrayList<>();
    try {
      List<ScenarioPacket> packets = new ArrayList<>();
      for (PlainPacket one : before) {
        packets.add(TypedPacket.parse("example", one.text(), machine));
      }
      packets.add(TypedPacket.parse("example", packet.text(), machine));
      Host host = new Host(machine, rules, null, START, 1);
      Replay.Answers answers =
          speaksForTheMachine() ? Replay.Answers.CAPTURE : Replay.Answers.STACK;
      Replay replay = new Replay(host, false, answers, null, null);
      replay.keepEnds();
      replay.keepDepartures();
      replay.add(records::add);
      replay.runTyped(packets);
      replay.finish();
    } catch (SourceException | HostException e) {
      // This machine cannot have these rules, or no such packet: there is nothing to show.
      return null;
    }
    return records.size() == before.size() + 1 ? records : null;
  }

  /** As it is told, with what came of it. */
  Finding.Example with(String outcome) {
    return new Finding.Example(
        options + (speaksForTheMachine() ? " --answers capture" : ""),
        null,
        0,
        before.stream().map(PlainPacket::text).toList(),
        packet.text(),
        outcome);
  }
}
