// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Refusal;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostListener;
import io.skbwalk.ipv4.IpControlBlock;
import io.skbwalk.language.TcpAnswers;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.netfilter.conntrack.ConntrackStatus;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.VerdictRecorder;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.trace.TraceListener;
import io.skbwalk.transport.Sock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;

/**
 * What becomes of each frame, gathered from what the machine does with its packets: sent,
 * forwarded, delivered, dropped. A frame whose packet waits in the machine (a fragment, a question
 * to ARP) gets its fate later.
 *
 * <p>The frames at hand are in slots, from {@link #open} to {@link #close}. Nothing is allocated
 * for them unless somebody wants their records.
 */
final class Fates implements HostListener, VerdictRecorder {
  /** Frames that are at hand together at most. */
  static final int MOST = 64;

  private static final int FORWARDED = 1;
  private static final int DELIVERED = 1 << 1;
  private static final int DROPPED = 1 << 2;
  private static final int COPIED = 1 << 3;
  private static final int ANSWERED = 1 << 4;
  private static final int LEFT = 1 << 5;

  private static final int ARP_OPERATION = 6;
  private static final int ARP_REQUEST = 1;

  /** What a packet's walk has room for at first. */
  private static final int USUAL_EVENTS = 64;

  /** Records that wait for one that has no fate yet. */
  private static final int MOST_WAITING = 1 << 16;

  private final Host host;
  private final ReplayTotals totals;

  /** What left without being in the capture; null when a capture cannot show it again. */
  private final Departed departed;

  private final Replay.Walks walks;
  private final List<Replay.Sink> sinks = new ArrayList<>();

  private final long[] numbers = new long[MOST];
  private final int[] bits = new int[MOST];
  private final boolean[] sentSlot = new boolean[MOST];
  private final DropReason[] reasons = new DropReason[MOST];
  private final String[] functions = new String[MOST];
  private final FrameRecord[] records = new FrameRecord[MOST];
  private int count;
  private int cursor;
  private long withheldBefore;

  private final Deque<FrameRecord> waiting = new ArrayDeque<>();

  /** Frames without a fate of which a part waits in the machine. */
  private long[] pending = new long[16];

  private boolean[] pendingSent = new boolean[16];
  private int[] pendingBits = new int[16];
  private int pendingCount;

  private boolean details;
  private boolean keepFrames;
  private boolean keepDepartures;
  private boolean keepEnds;
  private Replay.Departures departures;

  /** What packets of a scenario answer; null while none does. */
  private TcpAnswers answers;

  Fates(Host host, ReplayTotals totals, Departed departed, Replay.Walks walks) {
    this.host = host;
    this.totals = totals;
    this.departed = departed;
    this.walks = walks;
    details = walks != null;
    host.setListener(this);
  }

  void add(Replay.Sink sink) {
    sinks.add(sink);
    details = true;
  }

  void keepFrames() {
    keepFrames = true;
  }

  void keepDepartures() {
    keepDepartures = true;
  }

  void keepEnds() {
    keepEnds = true;
  }

  /** Keeps what the segments that leave say, for {@link #answers}. */
  void keepAnswers() {
    answers = answers == null ? new TcpAnswers() : answers;
  }

  TcpAnswers answers() {
    return answers;
  }

  void setDepartures(Replay.Departures departures) {
    this.departures = departures;
    details = true;
  }

  /** Hears the rules, if somebody wants records. */
  void begin() {
    if (details && host.tables() != null) {
      host.tables().record(this);
    }
  }

  // ---- the frames at hand -----------------------------------------------------------------------

  /** How many there are. */
  int count() {
    return count;
  }

  /** Takes one more frame to hand, number {@link ReplayTotals#read}. */
  void open(ArrivedFrame frame, boolean sent) {
    if (count == 0) {
      withheldBefore = host.net().withheld;
    }
    int slot = count++;
    numbers[slot] = totals.read;
    bits[slot] = 0;
    sentSlot[slot] = sent;
    reasons[slot] = null;
    functions[slot] = null;
    totals.frames++;
    totals.bytes += frame.originalLength;
    if (totals.frames == 1) {
      totals.first = frame.time;
    }
    totals.last = Math.max(totals.last, frame.time);
  }

  /**
   * Makes the record of the frame opened last, if somebody wants it.
   *
   * @return who hears its walk; null when nobody
   */
  TraceListener record(ArrivedFrame frame, String device, boolean typed, boolean chosen) {
    if (!details) {
      return null;
    }
    FrameRecord record = new FrameRecord();
    record.number = totals.read;
    record.place = frame.place;
    record.time = frame.time;
    record.device = device;
    record.sent = sentSlot[count - 1];
    record.length = frame.originalLength;
    record.typed = typed;
    record.chosen = chosen;
    records[count - 1] = record;
    if (keepEnds && frame.isIp()) {
      record.flow = Flow.of(frame);
    }
    if (keepFrames || walks != null) {
      int whole = Math.max(0, frame.length - frame.fcsLength);
      record.frame = Arrays.copyOf(frame.bytes, whole);
    }
    if (walks == null || !walks.wanted(record)) {
      return null;
    }
    record.events = new ArrayList<>(USUAL_EVENTS);
    return new WalkEar(record, walks.misses());
  }

  private record WalkEar(FrameRecord record, boolean wantsMisses) implements TraceListener {
    @Override
    public void on(TraceEvent event) {
      record.events.add(event);
      if (event instanceof TraceEvent.Log log && log.line().contains("TRACE: ")) {
        record.traced = true;
      }
    }
  }

  /**
   * The machine is done with the frames at hand.
   *
   * @param held it holds more packets than before
   */
  void close(boolean held) {
    if (host.net().withheld > withheldBefore) {
      // What is held back is an answer all the same; frames come one by one then.
      bits[0] |= ANSWERED;
    }
    for (int slot = 0; slot < count; slot++) {
      boolean open = sentSlot[slot] ? (bits[slot] & (LEFT | DROPPED)) == 0 : !hasFate(bits[slot]);
      if (held && open) {
        pend(slot);
      }
      settle(slot);
    }
    count = 0;
    release();
  }

  /** Nothing arrives any more: hands out the records that still wait. */
  void finish() {
    pendingCount = 0;
    release();
  }

  private static boolean hasFate(int bits) {
    return (bits & (FORWARDED | DELIVERED | DROPPED)) != 0;
  }

  private void pend(int slot) {
    if (pendingCount == pending.length) {
      if (pendingCount >= MOST_WAITING) {
        return;
      }
      pending = Arrays.copyOf(pending, 2 * pendingCount);
      pendingSent = Arrays.copyOf(pendingSent, 2 * pendingCount);
      pendingBits = Arrays.copyOf(pendingBits, 2 * pendingCount);
    }
    pendingSent[pendingCount] = sentSlot[slot];
    pendingBits[pendingCount] = bits[slot];
    pending[pendingCount++] = numbers[slot];
    if (records[slot] != null) {
      records[slot].waits = true;
    }
  }

  /** Counts the slot's fate. */
  private void settle(int slot) {
    Fate fate = fate(bits[slot], sentSlot[slot]);
    totals.fates[fate.ordinal()]++;
    if (fate == Fate.DROPPED) {
      totals.drops.add(reasons[slot], functions[slot], 1);
    }
    FrameRecord record = records[slot];
    if (record != null) {
      records[slot] = null;
      record.bits = bits[slot];
      record.fate = fate;
      record.reason = reasons[slot];
      record.at = functions[slot];
      if (record.events != null && record.ct != 0 && host.conntrack().isListed(record.ct)) {
        record.connection = ConntrackPrinter.list(host.conntrack(), record.ct);
      }
      waiting.add(record);
    }
  }

  private static Fate fate(int bits, boolean sent) {
    if (sent) {
      return (bits & DROPPED) != 0 && (bits & LEFT) == 0 ? Fate.DROPPED : Fate.SENT;
    }
    if ((bits & FORWARDED) != 0) {
      return Fate.FORWARDED;
    }
    if ((bits & DELIVERED) != 0) {
      return Fate.DELIVERED;
    }
    if ((bits & DROPPED) != 0) {
      return Fate.DROPPED;
    }
    if ((bits & COPIED) != 0) {
      return Fate.DELIVERED;
    }
    return (bits & ANSWERED) != 0 ? Fate.ANSWERED : Fate.CONSUMED;
  }

  /** Hands out the records in front that have their fate. */
  private void release() {
    if (pendingCount > 0 && host.net().skbs.outstanding() == 0) {
      pendingCount = 0;
      for (FrameRecord record : waiting) {
        record.waits = false;
      }
    }
    FrameRecord record;
    while ((record = waiting.peek()) != null
        && (!record.waits || pendingCount == 0 || waiting.size() > MOST_WAITING)) {
      waiting.poll();
      for (Replay.Sink sink : sinks) {
        sink.frame(record);
      }
    }
  }

  /** The slot of frame {@code number} among those being handled, or -1. */
  private int slot(long number) {
    if (cursor < count && numbers[cursor] == number) {
      return cursor;
    }
    for (int i = 0; i < count; i++) {
      if (numbers[i] == number) {
        cursor = i;
        return i;
      }
    }
    return -1;
  }

  private boolean isPendingSent(long number) {
    for (int i = 0; i < pendingCount; i++) {
      if (pending[i] == number) {
        return pendingSent[i];
      }
    }
    return false;
  }

  private static boolean isArpRequest(SkBuff skb) {
    return skb.protocol == EthernetHeader.ETH_P_ARP
        && skb.networkHeader >= 0
        && skb.networkHeader + ARP_OPERATION + 2 <= skb.tail
        && skb.u16(skb.networkHeader + ARP_OPERATION) == ARP_REQUEST;
  }

  /** Something happened to a packet of frame {@code number} that came earlier. */
  private void late(long number, int bit, DropReason reason, String function) {
    int at = 0;
    while (at < pendingCount && pending[at] != number) {
      at++;
    }
    if (at == pendingCount || bit == 0) {
      if (reason != null) {
        totals.otherDrops.add(reason, function, 1);
      }
      return;
    }
    if (bit == COPIED) {
      return;
    }
    boolean sent = pendingSent[at];
    Fate counted = fate(pendingBits[at], sent);
    pendingBits[at] |= !sent && bit == LEFT ? ANSWERED : bit;
    Fate fate = fate(pendingBits[at], sent);
    boolean settled = sent || hasFate(pendingBits[at]);
    totals.fates[counted.ordinal()]--;
    totals.fates[fate.ordinal()]++;
    if (fate == Fate.DROPPED) {
      totals.drops.add(reason, function, 1);
    }
    FrameRecord record = waitingRecord(number);
    if (record != null) {
      record.fate = fate;
      record.reason = reason;
      record.at = function;
      record.waits = !settled;
    }
    if (settled) {
      pendingCount--;
      pending[at] = pending[pendingCount];
      pendingSent[at] = pendingSent[pendingCount];
      pendingBits[at] = pendingBits[pendingCount];
    }
  }

  private FrameRecord waitingRecord(long number) {
    for (FrameRecord record : waiting) {
      if (record.number == number) {
        return record;
      }
    }
    return null;
  }

  private FrameRecord recordOf(SkBuff skb) {
    int slot = slot(skb.frame);
    return slot >= 0 ? records[slot] : waiting.isEmpty() ? null : waitingRecord(skb.frame);
  }

  private void note(FrameRecord record, SkBuff skb) {
    record.mark = skb.mark;
    if (skb.ct != 0) {
      record.ct = skb.ct;
      record.connmark = host.conntrack().mark(skb.ct);
    }
    if (keepEnds && skb.protocol == EthernetHeader.ETH_P_IP) {
      record.end = PacketEnd.of(skb, record.end);
      boolean template =
          skb.ct != 0 && (host.conntrack().status(skb.ct) & ConntrackStatus.IPS_TEMPLATE) != 0;
      if (skb.ct != 0 && !template) {
        record.flow = Flow.of(host.conntrack(), skb.ct);
      }
    }
    if (skb.ct != 0 || skb.ctInfo != 0) {
      record.state = Conntrack.stateName(skb);
      record.reply = skb.ct != 0 && ConntrackInfo.direction(skb.ctInfo) == ConntrackInfo.REPLY;
    }
  }

  /** Is it the packet that the frame is, and not one that was made because of it? */
  private static boolean isOriginal(SkBuff skb, boolean sent) {
    return sent || skb.iif != 0;
  }

  // ---- what the machine tells -------------------------------------------------------------------

  @Override
  public void transmitted(NetDevice dev, SkBuff skb) {
    boolean forwarded = (skb.cbFlags & IpControlBlock.IPSKB_FORWARDED) != 0;
    totals.left++;
    if (answers != null && skb.protocol == EthernetHeader.ETH_P_IP) {
      answers.sent(skb.head, skb.networkHeader, skb.tail);
    }
    FrameRecord record = details && skb.frame != 0 ? recordOf(skb) : null;
    if (record != null && (forwarded || record.sent)) {
      note(record, skb);
    }
    long index =
        departures == null
            ? dev.txPackets
            : departures.left(dev, skb, host.now(), record, forwarded);
    int slot = slot(skb.frame);
    boolean captured = slot >= 0 && sentSlot[slot];
    if (departed != null && !captured && skb.protocol == EthernetHeader.ETH_P_IP) {
      departed.add(skb, host.now());
    }
    if (isArpRequest(skb)) {
      // A question, not an answer: the packet that asks for it goes on waiting.
      tellDeparture(record, dev, skb, index, false);
      return;
    }
    if (slot >= 0) {
      bits[slot] |= captured ? LEFT : forwarded ? FORWARDED : ANSWERED;
      if (!forwarded && !captured) {
        totals.answers++;
      }
    } else if (skb.frame != 0) {
      late(skb.frame, forwarded ? FORWARDED : LEFT, null, null);
    }
    tellDeparture(record, dev, skb, index, forwarded);
  }

  private void tellDeparture(
      FrameRecord record, NetDevice dev, SkBuff skb, long index, boolean forwarded) {
    if (record == null) {
      return;
    }
    byte[] bytes =
        keepDepartures || record.events != null
            ? Arrays.copyOfRange(skb.head, skb.data, skb.tail)
            : null;
    record.outs.add(new FrameRecord.Out(dev.name, index, bytes, forwarded));
  }

  @Override
  public void dropped(SkBuff skb, DropReason reason, String function) {
    int slot = slot(skb.frame);
    if (slot < 0) {
      if (skb.frame != 0) {
        late(skb.frame, isOriginal(skb, isPendingSent(skb.frame)) ? DROPPED : 0, reason, function);
      } else {
        totals.otherDrops.add(reason, function, 1);
      }
      return;
    }
    if (!isOriginal(skb, sentSlot[slot])) {
      totals.otherDrops.add(reason, function, 1);
      return;
    }
    if ((bits[slot] & DROPPED) == 0) {
      bits[slot] |= DROPPED;
      reasons[slot] = reason;
      functions[slot] = function;
    }
    if (records[slot] != null) {
      note(records[slot], skb);
    }
  }

  @Override
  public void refused(NetDevice dev, long frame, Refusal refusal) {
    int slot = slot(frame);
    if (slot >= 0) {
      bits[slot] |= DROPPED;
      reasons[slot] = refusal.reason;
      functions[slot] = "nic";
    }
  }

  @Override
  public void received(Sock sock, SkBuff skb) {
    if (sock.kind == Sock.Kind.PACKET) {
      return;
    }
    int bit = sock.kind == Sock.Kind.RAW ? COPIED : DELIVERED;
    int slot = slot(skb.frame);
    if (slot < 0) {
      if (skb.frame != 0) {
        late(skb.frame, bit, null, null);
      }
      return;
    }
    bits[slot] |= bit;
    if (records[slot] != null) {
      note(records[slot], skb);
      if (keepDepartures && bit == DELIVERED) {
        records[slot].delivered = Arrays.copyOfRange(skb.head, skb.networkHeader, skb.tail);
      }
    }
  }

  @Override
  public void matched(SkBuff skb, Hook hook, RuleReference rule) {
    FrameRecord record = recordOf(skb);
    if (record != null && isOriginal(skb, record.sent)) {
      record.rules.add(rule);
    }
  }

  @Override
  public void decided(SkBuff skb, Hook hook, RuleReference rule, int verdict) {
    FrameRecord record = recordOf(skb);
    if (record == null || !isOriginal(skb, record.sent)) {
      return;
    }
    note(record, skb);
    if (record.state == null && rule != null && isTracked(rule.table())) {
      // Connection tracking saw it and wants nothing to do with it.
      record.state = Conntrack.stateName(skb);
    }
    boolean lost = verdict == Verdict.DROP;
    if (rule != null && (lost || rule.table() == TableKind.FILTER)) {
      record.verdict = rule;
      record.hook = hook;
    }
  }

  /** Does the table come behind connection tracking? */
  private boolean isTracked(TableKind table) {
    return table != TableKind.RAW && host.conntrack().enabled();
  }
}
