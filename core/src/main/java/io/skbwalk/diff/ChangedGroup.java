// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.diff;

import io.skbwalk.replay.Flow;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.PacketEnd;
import io.skbwalk.skb.PacketSummary;
import java.util.HashSet;
import java.util.Set;

/** The packets to which the same happens, by the same pair of rules. */
public final class ChangedGroup {
  /** What became of the group's first packet on one machine. */
  public record Example(String interfaces, PacketEnd end, int mark, int connectionMark) {
    static Example of(FrameRecord record) {
      if (record == null) {
        return new Example("", null, 0, 0);
      }
      return new Example(Comparison.interfaces(record), record.end, record.mark, record.connmark);
    }
  }

  /** What changed. */
  public final Change change;

  /** In words, such as {@code delivered -> dropped}. */
  public final String text;

  /** On the old machine. */
  public final Outcome oldOutcome;

  /** On the new one. */
  public final Outcome newOutcome;

  /** The rule of the old machine, or null when no rule had a part in it. */
  public final Responsible oldRule;

  /** The rule of the new one, or null. */
  public final Responsible newRule;

  /** Number of its first packet in the input, from 1. */
  public final long example;

  /** That packet in a line. */
  public final String packet;

  /** What the old machine made of that packet. */
  public final Example oldExample;

  /** What the new one did. */
  public final Example newExample;

  private long packets;
  private long bytes;
  private final Set<Flow> flows = new HashSet<>();

  ChangedGroup(
      Change change,
      String text,
      FrameRecord old,
      FrameRecord now,
      Responsible oldRule,
      Responsible newRule) {
    this.change = change;
    this.text = text;
    this.oldOutcome = Outcome.of(old);
    this.newOutcome = Outcome.of(now);
    this.oldRule = oldRule;
    this.newRule = newRule;
    FrameRecord either = old != null ? old : now;
    example = either.number;
    packet = PacketSummary.ofFrame(either.frame, 0, either.frame.length);
    oldExample = Example.of(old);
    newExample = Example.of(now);
  }

  void add(FrameRecord record, Flow flow) {
    packets++;
    bytes += record.length;
    if (flow != null) {
      flows.add(flow);
    }
  }

  /** How many packets. */
  public long packets() {
    return packets;
  }

  /** Bytes of their frames. */
  public long bytes() {
    return bytes;
  }

  /** How many connections (or, untracked, pairs of ends) they belong to. */
  public int flows() {
    return flows.size();
  }
}
