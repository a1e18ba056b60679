// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.diff;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.replay.Fate;
import io.skbwalk.replay.Flow;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.PacketEnd;
import io.skbwalk.replay.Replay;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Holds what became of each frame on an old machine against what became of it on a new one, while
 * both replay.
 *
 * <p>What is kept grows with the flows that change, not with the packets: a record lives until the
 * other machine's is there.
 */
public final class Comparison {
  private static final Set<String> SOURCE_NAT = Set.of("SNAT", "MASQUERADE", "NETMAP");
  private static final Set<String> DESTINATION_NAT = Set.of("DNAT", "REDIRECT", "NETMAP");
  private static final Set<String> MARKING = Set.of("MARK", "CONNMARK", "HMARK", "SET", "TPROXY");
  private static final Set<String> REROUTING = Set.of("MARK", "CONNMARK", "HMARK", "TPROXY", "TEE");
  private static final Set<String> HEADER = Set.of("TOS", "DSCP", "ECN", "TTL");

  private record Pair(RuleReference old, RuleReference now) {
    static final Pair NONE = new Pair(null, null);
  }

  private record Key(
      Change change, String text, Outcome old, Outcome now, String oldRule, String newRule) {}

  private final Replay oldReplay;
  private final Replay newReplay;
  private final SortedMap<Long, FrameRecord> olds = new TreeMap<>();
  private final SortedMap<Long, FrameRecord> news = new TreeMap<>();
  private final Map<Key, ChangedGroup> groups = new LinkedHashMap<>();

  /**
   * The rules that gave a connection another address or mark, since its later packets ask no rule;
   * as {@link Change#FATE} those that let only one machine know it.
   */
  private final Map<Flow, Map<Change, Pair>> deciders = new HashMap<>();

  /** The rules that gave a flow another fate first. */
  private final Map<Flow, Pair> broke = new HashMap<>();

  private final Set<Flow> changedFlows = new HashSet<>();
  private long frames;
  private long bytes;
  private long changedPackets;
  private long changedBytes;

  /** Listens to two replays that have not begun. */
  public Comparison(Replay oldReplay, Replay newReplay) {
    this.oldReplay = oldReplay;
    this.newReplay = newReplay;
    oldReplay.keepEnds();
    newReplay.keepEnds();
    oldReplay.keepFrames();
    newReplay.keepFrames();
    oldReplay.add(
        record -> {
          FrameRecord now = news.remove(record.number);
          hear(record, now, record, olds);
        });
    newReplay.add(
        record -> {
          FrameRecord old = olds.remove(record.number);
          hear(old, record, record, news);
        });
  }

  private void hear(
      FrameRecord old, FrameRecord now, FrameRecord own, Map<Long, FrameRecord> waiting) {
    if (old == null || now == null) {
      waiting.put(own.number, own);
    } else if (old.isChosen()) {
      compare(old, now);
    }
  }

  /**
   * Both replays have finished. What only one of them sent is of a conversation that broke on the
   * other, for the reason for which that flow changed first.
   */
  public void finish() {
    SortedMap<Long, FrameRecord> alone = new TreeMap<>(olds);
    alone.putAll(news);
    alone.forEach((number, record) -> compare(olds.get(number), news.get(number)));
    olds.clear();
    news.clear();
  }

  private void compare(FrameRecord old, FrameRecord now) {
    FrameRecord either = old != null ? old : now;
    frames++;
    bytes += either.length;
    Change change = change(old, now);
    if (change == null) {
      return;
    }
    changedPackets++;
    changedBytes += either.length;
    Flow flow = old != null && old.flow != null || now == null ? old.flow : now.flow;
    if (flow != null) {
      changedFlows.add(flow);
    }
    boolean both = old != null && now != null;
    Pair pair = both ? responsible(change, old, now, flow) : broke.getOrDefault(flow, Pair.NONE);
    if (change == Change.FATE) {
      broke.putIfAbsent(flow, pair);
    }
    Key key =
        new Key(
            change,
            text(change, old, now),
            Outcome.of(old),
            Outcome.of(now),
            pair.old == null ? "" : pair.old.label(),
            pair.now == null ? "" : pair.now.label());
    groups
        .computeIfAbsent(
            key,
            first ->
                new ChangedGroup(
                    change,
                    key.text,
                    old,
                    now,
                    Responsible.of(pair.old, rules(oldReplay)),
                    Responsible.of(pair.now, rules(newReplay))))
        .add(either, flow);
  }

  private static RuleSet rules(Replay replay) {
    return replay.host().tables() == null ? RuleSet.EMPTY : replay.host().tables().rules();
  }

  // ---- what is different ------------------------------------------------------------------------

  /** What of the packet is not the same, or null. Of a dropped packet only its fate counts. */
  private static Change change(FrameRecord old, FrameRecord now) {
    if (!Outcome.of(old).equals(Outcome.of(now))) {
      return Change.FATE;
    }
    if (old.fate == Fate.DROPPED) {
      return null;
    }
    PacketEnd a = old.end;
    PacketEnd b = now.end;
    boolean known = a != null && b != null;
    if (known && otherEnds(a, b)) {
      return Change.NAT;
    }
    if (!interfaces(old).equals(interfaces(now))) {
      return Change.INTERFACE;
    }
    if (old.mark != now.mark || old.connmark != now.connmark) {
      return Change.MARK;
    }
    return known && (a.tos() != b.tos() || a.ttl() != b.ttl()) ? Change.HEADER : null;
  }

  private static boolean otherEnds(PacketEnd a, PacketEnd b) {
    return otherSource(a, b) || otherDestination(a, b);
  }

  private static boolean otherSource(PacketEnd a, PacketEnd b) {
    return a.source() != b.source() || a.sourcePort() != b.sourcePort();
  }

  private static boolean otherDestination(PacketEnd a, PacketEnd b) {
    return a.destination() != b.destination() || a.destinationPort() != b.destinationPort();
  }

  /** The interfaces that the packet itself left on, in order; empty when it did not. */
  static String interfaces(FrameRecord record) {
    String all = "";
    for (FrameRecord.Out out : record.outs) {
      if ((out.forwarded() || record.sent) && !all.contains(out.device())) {
        all = all.isEmpty() ? out.device() : all + ", " + out.device();
      }
    }
    return all;
  }

  private static String text(Change change, FrameRecord old, FrameRecord now) {
    if (change == Change.FATE) {
      return Outcome.of(old).label() + " -> " + Outcome.of(now).label();
    }
    PacketEnd a = old.end;
    PacketEnd b = now.end;
    List<String> parts = new ArrayList<>();
    switch (change) {
      case INTERFACE -> {
        return "out of " + interfaces(old) + " -> " + interfaces(now);
      }
      case NAT -> {
        part(parts, "source address", a.source(), b.source());
        part(parts, "source port", a.sourcePort(), b.sourcePort());
        part(parts, "destination address", a.destination(), b.destination());
        part(parts, "destination port", a.destinationPort(), b.destinationPort());
      }
      case MARK -> {
        part(parts, "mark", old.mark, now.mark);
        part(parts, "connection mark", old.connmark, now.connmark);
      }
      default -> {
        part(parts, "tos", a.tos(), b.tos());
        part(parts, "ttl", a.ttl(), b.ttl());
      }
    }
    return "other "
        + String.join(" and ", parts)
            .replace("address and source port", "address and port")
            .replace("address and destination port", "address and port");
  }

  private static void part(List<String> parts, String name, int before, int after) {
    if (before != after) {
      parts.add(name);
    }
  }

  // ---- who is responsible -----------------------------------------------------------------------

  private Pair responsible(Change change, FrameRecord old, FrameRecord now, Flow flow) {
    return switch (change) {
      case FATE -> fate(old, now, flow);
      case NAT -> {
        Pair opening = opening(flow);
        yield opening != null ? opening : nat(old, now, flow);
      }
      case INTERFACE -> remembered(change, flow, last(old, REROUTING), last(now, REROUTING));
      case MARK -> remembered(change, flow, last(old, MARKING), last(now, MARKING));
      case HEADER -> new Pair(last(old, HEADER), last(now, HEADER));
    };
  }

  /** Where a packet goes elsewhere, it meets other rules; the cause is what sent it there. */
  private Pair fate(FrameRecord old, FrameRecord now, Flow flow) {
    PacketEnd a = old.end;
    PacketEnd b = now.end;
    boolean elsewhere =
        a != null && b != null && otherDestination(a, b) && !early(old) && !early(now);
    if (elsewhere) {
      Pair opening = opening(flow);
      if (opening != null) {
        return opening;
      }
      Pair pair =
          remembered(Change.NAT, flow, last(old, DESTINATION_NAT), last(now, DESTINATION_NAT));
      if (pair != Pair.NONE) {
        return pair;
      }
    }
    Pair pair = new Pair(old.verdict, now.verdict);
    if (flow != null && Outcome.byRule(old) != Outcome.byRule(now) && opens(old) && opens(now)) {
      deciders
          .computeIfAbsent(flow, key -> new EnumMap<>(Change.class))
          .putIfAbsent(Change.FATE, pair);
    }
    return pair;
  }

  private static boolean opens(FrameRecord record) {
    return "NEW".equals(record.state);
  }

  /** The rules that dropped a connection's first packet on one machine only, or null. */
  private Pair opening(Flow flow) {
    return flow == null ? null : deciders.getOrDefault(flow, Map.of()).get(Change.FATE);
  }

  /** Dropped by a rule before the packet could get another destination. */
  private static boolean early(FrameRecord record) {
    return Outcome.byRule(record)
        && (record.hook == Hook.PRE_ROUTING || record.hook == Hook.LOCAL_OUT);
  }

  private Pair nat(FrameRecord old, FrameRecord now, Flow flow) {
    Set<String> targets = otherSource(old.end, now.end) ? SOURCE_NAT : DESTINATION_NAT;
    return remembered(Change.NAT, flow, lastNat(old, targets), lastNat(now, targets));
  }

  /** A rule with one of the targets, else whichever of the table nat decided. */
  private static RuleReference lastNat(FrameRecord record, Set<String> targets) {
    RuleReference best = last(record, targets);
    for (int i = record.rules.size() - 1; best == null && i >= 0; i--) {
      if (record.rules.get(i).table() == TableKind.NAT) {
        best = record.rules.get(i);
      }
    }
    return best;
  }

  private static RuleReference last(FrameRecord record, Set<String> targets) {
    for (int i = record.rules.size() - 1; i >= 0; i--) {
      if (targets.contains(record.rules.get(i).target())) {
        return record.rules.get(i);
      }
    }
    return null;
  }

  /** The rules that this packet met; of a machine where it met none, what its flow met before. */
  private Pair remembered(Change change, Flow flow, RuleReference old, RuleReference now) {
    if (flow == null) {
      return new Pair(old, now);
    }
    Map<Change, Pair> known = deciders.getOrDefault(flow, Map.of());
    Pair before = known.getOrDefault(change, Pair.NONE);
    if (old == null && now == null) {
      return before;
    }
    Pair pair = new Pair(old == null ? before.old : old, now == null ? before.now : now);
    deciders.computeIfAbsent(flow, key -> new EnumMap<>(Change.class)).put(change, pair);
    return pair;
  }

  // ---- the result -------------------------------------------------------------------------------

  /** Frames that were compared. */
  public long frames() {
    return frames;
  }

  /** Their bytes. */
  public long bytes() {
    return bytes;
  }

  /** Packets that fare differently. */
  public long changedPackets() {
    return changedPackets;
  }

  /** Their bytes. */
  public long changedBytes() {
    return changedBytes;
  }

  /** Flows with such a packet. */
  public int changedFlows() {
    return changedFlows.size();
  }

  /** Packets that fare differently, by what and why; most packets first. */
  public List<ChangedGroup> groups() {
    List<ChangedGroup> sorted = new ArrayList<>(groups.values());
    sorted.sort(
        Comparator.comparingLong((ChangedGroup group) -> -group.packets())
            .thenComparingLong(group -> -group.bytes())
            .thenComparingLong(group -> group.example));
    return sorted;
  }

  /** The replay of the old machine. */
  public Replay oldReplay() {
    return oldReplay;
  }

  /** The replay of the new one. */
  public Replay newReplay() {
    return newReplay;
  }
}
