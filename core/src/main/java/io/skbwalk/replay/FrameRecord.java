// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.skb.DropReason;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.List;

/** Everything about one frame that the reports tell; made only when one of them wants it. */
public final class FrameRecord {
  /** A frame that left because of it. */
  public record Out(String device, long index, byte[] frame, boolean forwarded) {}

  /** Number from 1 among all frames of the input. */
  public long number;

  /**
   * Which packet of a scenario it is, from 1: not its number where one that stands before it came
   * later.
   */
  public long place;

  /** Nanoseconds since the epoch. */
  public long time;

  /** The interface that it arrived on; of a frame that the machine sent, empty. */
  public String device;

  /** The machine itself sent it. */
  public boolean sent;

  /** Bytes of the frame as it was on the wire. */
  public int length;

  /** Its bytes as the machine saw them, Ethernet header first. */
  public byte[] frame;

  /** What became of it, as far as is known. */
  public Fate fate;

  /** Of a dropped one. */
  public DropReason reason;

  /** The kernel function that dropped it. */
  public String at;

  /** The packet's state to connection tracking (NEW, ...), or null when nothing was tracked. */
  public String state;

  /** It runs in the connection's reply direction; meaningful with {@link #state}. */
  public boolean reply;

  /** The packet's mark when it was last seen. */
  public int mark;

  /** Its connection's mark then; 0 when nothing was tracked. */
  public int connmark;

  /**
   * Its connection afterwards, as {@code conntrack -L} prints it; told with its walk only. Null
   * when it has none in the table.
   */
  public String connection;

  /** Its connection as it was last seen, 0 when none was. */
  int ct;

  /** The packet as a TCP or UDP socket got it, from its IP header on; null when none did. */
  public byte[] delivered;

  /** The connection or, untracked, the ends on the wire; see {@link Replay#keepEnds}. */
  public Flow flow;

  /** The packet in the end; see {@link Replay#keepEnds}. Null when it never was an IP packet. */
  public PacketEnd end;

  /** Rules that matched, in order. */
  public final List<RuleReference> rules = new ArrayList<>();

  /** The rule or policy that decided, or null. */
  public RuleReference verdict;

  /** Where it did. */
  public Hook hook;

  /** Frames that left because of it. */
  public final List<Out> outs = new ArrayList<>();

  /** The walk, when somebody wants it, else null. */
  public List<TraceEvent> events;

  /** See {@link #isTraced}. */
  boolean traced;

  /** See {@link #isChosen}. */
  boolean chosen;

  /** It was not in a capture, but typed. */
  boolean typed;

  /** A part of it, or an answer, waits somewhere in the machine. */
  boolean waits;

  int bits;

  /** A TRACE target wants its walk told. */
  public boolean isTraced() {
    return traced;
  }

  /** The filter of {@link Replay#choose} takes it; true without one. */
  public boolean isChosen() {
    return chosen;
  }

  /** It was typed on a command line. */
  public boolean isTyped() {
    return typed;
  }

  /** Does it go from the one end to the other? A port of -1 is any. Needs its bytes. */
  public boolean isBetween(int from, int fromPort, int to, int toPort) {
    return frame != null && WalkResult.isBetween(frame, from, fromPort, to, toPort);
  }
}
