// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureMerger;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.FrameFilter;
import io.skbwalk.device.NetDevice;
import io.skbwalk.device.Refusal;
import io.skbwalk.host.Host;
import io.skbwalk.host.HostDescription;
import io.skbwalk.host.HostListener;
import io.skbwalk.ipv4.IpControlBlock;
import io.skbwalk.ipv4.route.Flowi4;
import io.skbwalk.ipv4.route.Rtable;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.Mac;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackInfo;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.netfilter.tables.VerdictRecorder;
import io.skbwalk.skb.DropReason;
import io.skbwalk.skb.EthernetHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.trace.TraceListener;
import io.skbwalk.transport.Sock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Pushes captures through a machine, frame by frame in the order of their times, and counts what
 * becomes of each.
 *
 * <p>Frames of the same time on the same interface are polled together: they go into the card's
 * ring one behind the other and one softirq takes them. Each is still handled all its way before
 * the next, so the results are those of one after the other.
 *
 * <p>Without a {@link Sink} nothing is allocated per frame.
 */
public final class Replay {
  /** Whose answers leave the machine. */
  public enum Answers {
    /** Those that are in the capture; the stack makes its own, but does not send them. */
    CAPTURE,
    /** The stack's. */
    STACK
  }

  /** Is given the record of each frame, in order, once its fate is known. */
  public interface Sink {
    /** The frame is done with. */
    void frame(FrameRecord record);
  }

  /** Is given each frame that leaves, at once. */
  public interface Departures {
    /**
     * A frame leaves.
     *
     * @return its index from 1 among those of {@code dev}
     */
    long left(NetDevice dev, SkBuff skb, long time);
  }

  private static final int FORWARDED = 1;
  private static final int DELIVERED = 1 << 1;
  private static final int DROPPED = 1 << 2;
  private static final int COPIED = 1 << 3;
  private static final int ANSWERED = 1 << 4;
  private static final int LEFT = 1 << 5;

  private static final int ARP_OPERATION = 6;
  private static final int ARP_REQUEST = 1;

  /** Frames that are polled together at most. */
  private static final int BATCH = 64;

  /** Records that wait for one that has no fate yet. */
  private static final int MOST_WAITING = 1 << 16;

  private final Host host;
  private final NetDevice only;
  private final boolean lone;
  private final FrameFilter filter;
  private final Walks walks;
  private final List<Sink> sinks = new ArrayList<>();
  private final Flowi4 flow = new Flowi4();
  private final List<NetDevice> cards = new ArrayList<>();
  private final int[] addresses;

  /** What left without being in the capture; null when a capture cannot show it again. */
  private final Departed departed;

  private final ArrivedFrame[] slots = new ArrivedFrame[BATCH];
  private final long[] numbers = new long[BATCH];
  private final int[] bits = new int[BATCH];
  private final boolean[] sentSlot = new boolean[BATCH];
  private final DropReason[] reasons = new DropReason[BATCH];
  private final String[] functions = new String[BATCH];
  private final FrameRecord[] records = new FrameRecord[BATCH];
  private int batch;
  private NetDevice batchDevice;
  private int cursor;

  private final Deque<FrameRecord> waiting = new ArrayDeque<>();

  /** Frames without a fate of which a part waits in the machine. */
  private long[] pending = new long[16];

  private boolean[] pendingSent = new boolean[16];
  private int[] pendingBits = new int[16];
  private int pendingCount;
  private boolean details;
  private boolean keepFrames;
  private boolean keepDepartures;
  private boolean typed;
  private FrameFilter chooser;
  private boolean chosen = true;
  private Departures departures;
  private long withheldBefore;

  /** What was counted. */
  public final ReplayTotals totals = new ReplayTotals();

  /** Decides whose walks are told; null listeners cost nothing. */
  public interface Walks {
    /** Shall the walk of this frame be told? */
    boolean wanted(FrameRecord record);

    /** Are rules that did not match wanted, too? */
    boolean misses();
  }

  /**
   * A replay on {@code host}, which has not seen a frame yet.
   *
   * @param lone a single capture, whose frames are assigned to interfaces one by one, and in which
   *     frames that the machine sent may be
   * @param filter or null
   * @param walks or null
   */
  public Replay(Host host, boolean lone, Answers answers, FrameFilter filter, Walks walks) {
    this.host = host;
    this.lone = lone;
    departed = lone ? new Departed() : null;
    this.filter = filter;
    this.walks = walks;
    host.net().withholdsAnswers = answers == Answers.CAPTURE;
    for (NetDevice dev : host.devices()) {
      if (!dev.isLoopback() && dev.lower == null) {
        cards.add(dev);
      }
    }
    addresses =
        host.description().interfaces().stream()
            .flatMap(one -> one.addresses().stream())
            .mapToInt(HostDescription.Address::address)
            .toArray();
    only = cards.size() == 1 ? cards.get(0) : null;
    for (int i = 0; i < BATCH; i++) {
      slots[i] = new ArrivedFrame();
    }
    host.setListener(new Ear());
    details = walks != null;
  }

  /** Gives the record of each frame to {@code sink}. */
  public void add(Sink sink) {
    sinks.add(sink);
    details = true;
  }

  /**
   * All frames are replayed, but {@link FrameRecord#isChosen} tells those that {@code filter}
   * takes.
   */
  public void choose(FrameFilter filter) {
    chooser = filter;
  }

  /** Records keep the frame's bytes. */
  public void keepFrames() {
    keepFrames = true;
  }

  /** Records keep the bytes of the frames that left. */
  public void keepDepartures() {
    keepDepartures = true;
  }

  /** Tells {@code departures} of each frame that leaves. */
  public void setDepartures(Departures departures) {
    this.departures = departures;
  }

  /** The machine. */
  public Host host() {
    return host;
  }

  // ---- frames in --------------------------------------------------------------------------------

  /**
   * Replays captures to their end.
   *
   * @param devices the interface of each capture, or null elements when frames are assigned one by
   *     one
   */
  public void run(CaptureMerger captures, List<NetDevice> devices) {
    begin();
    while (captures.next()) {
      CaptureReader reader = captures.current();
      totals.read++;
      chosen = chooser == null || chooser.matches(reader);
      if (filter != null && !filter.matches(reader)) {
        totals.filtered++;
        continue;
      }
      ArrivedFrame frame = slots[batch];
      frame.take(reader);
      if (frame.originalLength > frame.length) {
        totals.shortened++;
      }
      arrive(frame, devices.get(captures.index()), reader);
    }
    poll();
  }

  /** Replays packets that were typed, behind all others, a millisecond after each other. */
  public void runTyped(List<ScenarioPacket> packets) {
    typed = true;
    chosen = true;
    for (ScenarioPacket packet : packets) {
      run(List.of(packet), totals.frames == 0 ? host.now() : host.now() + Clock.SECOND / 1000);
    }
    typed = false;
  }

  /** Replays the packets of a scenario, the first at {@code start}. */
  public long run(List<ScenarioPacket> packets, long start) {
    begin();
    long time = start;
    for (ScenarioPacket packet : packets) {
      totals.read++;
      time += packet.afterNanos();
      ArrivedFrame frame = slots[batch];
      if (packet.device() == null) {
        byte[] framed = new byte[packet.bytes().length + 14];
        System.arraycopy(packet.bytes(), 0, framed, 14, packet.bytes().length);
        framed[12] = 0x08;
        frame.take(framed, time);
        send(frame, only);
      } else {
        frame.take(packet.bytes(), time);
        receive(frame, host.device(packet.device()));
      }
    }
    poll();
    return time;
  }

  /** Hands out the records that still wait for a fate. Nothing may arrive any more. */
  public void finish() {
    poll();
    pendingCount = 0;
    release();
  }

  private void begin() {
    if (details && host.tables() != null) {
      host.tables().record(new RuleEar());
    }
  }

  private void arrive(ArrivedFrame frame, NetDevice given, CaptureReader reader) {
    if (given != null) {
      frame.complete(given.macAddress);
      receive(frame, given);
      return;
    }
    NetDevice named = named(reader);
    if (lone && isOwn(frame)) {
      flush(frame);
      if (frame.isIp() && departed.take(frame)) {
        totals.seenAgain++;
        return;
      }
      send(frame, named);
      return;
    }
    NetDevice dev = named != null ? named : assigned(frame);
    frame.complete(dev.macAddress);
    receive(frame, dev);
  }

  private NetDevice named(CaptureReader reader) {
    if (only != null) {
      return only;
    }
    String name = reader.interfaceName();
    if (!name.isEmpty()) {
      for (int i = 0; i < cards.size(); i++) {
        if (cards.get(i).name.equals(name)) {
          return cards.get(i);
        }
      }
    }
    return null;
  }

  private boolean isOwn(ArrivedFrame frame) {
    if (frame.direction == CaptureReader.OUTBOUND) {
      return true;
    }
    if (frame.hasMacs) {
      for (int i = 0; i < cards.size(); i++) {
        if (cards.get(i).macAddress == frame.sourceMac) {
          return true;
        }
      }
    }
    return frame.hasSource
        && frame.source != 0
        && frame.direction != CaptureReader.INBOUND
        && ownsAddress(frame.source)
        && (!frame.hasMacs || frame.isIp());
  }

  private boolean ownsAddress(int address) {
    for (int own : addresses) {
      if (own == address) {
        return true;
      }
    }
    return false;
  }

  private NetDevice assigned(ArrivedFrame frame) {
    if (frame.hasMacs && !Mac.isGroup(frame.destinationMac)) {
      for (int i = 0; i < cards.size(); i++) {
        if (cards.get(i).macAddress == frame.destinationMac) {
          return cards.get(i);
        }
      }
    }
    if (frame.hasSource && frame.source != 0 && !Ip4.isMulticast(frame.source)) {
      Rtable route = host.routing().output(flow.reset(frame.source));
      if (route != null) {
        NetDevice dev = route.dev;
        while (dev.lower != null) {
          dev = dev.lower;
        }
        if (!dev.isLoopback()) {
          return dev;
        }
      }
    }
    return cards.get(0);
  }

  private void receive(ArrivedFrame frame, NetDevice dev) {
    int slot = batch;
    if (slot > 0
        && (dev != batchDevice
            || frame.time != slots[0].time
            || host.net().withholdsAnswers
            || host.ringSpace(dev) == 0)) {
      poll();
      slots[slot] = slots[0];
      slots[0] = frame;
      slot = 0;
    }
    if (slot == 0) {
      host.advanceTo(frame.time);
      withheldBefore = host.net().withheld;
    }
    open(slot, frame, false);
    batchDevice = dev;
    batch = slot + 1;
    TraceListener trace = record(slot, frame, dev.name);
    host.setNextNumber(totals.read);
    host.enqueue(dev, frame.bytes, 0, frame.length, frame.fcsLength, frame.time, trace);
    if (batch == BATCH) {
      poll();
    }
  }

  /**
   * Handles what is in the ring; {@code frame}, read behind it, becomes the first of the next
   * batch.
   */
  private void flush(ArrivedFrame frame) {
    int slot = batch;
    if (slot > 0) {
      poll();
      slots[slot] = slots[0];
      slots[0] = frame;
    }
  }

  private void send(ArrivedFrame frame, NetDevice named) {
    flush(frame);
    withheldBefore = host.net().withheld;
    open(0, frame, true);
    batch = 1;
    TraceListener trace = record(0, frame, "");
    host.setNextNumber(totals.read);
    host.advanceTo(frame.time);
    int before = host.net().skbs.outstanding();
    if (frame.isIp()) {
      learnPort(frame);
      int bytes = frame.length - frame.fcsLength - frame.network;
      host.send(frame.bytes, frame.network, bytes, frame.time, trace);
    } else {
      NetDevice dev = named == null ? bySource(frame) : named;
      frame.complete(dev.macAddress);
      host.sendFrame(dev, frame.bytes, 0, frame.length - frame.fcsLength, frame.time, trace);
    }
    noteWithheld();
    if (host.net().skbs.outstanding() > before && (bits[0] & (LEFT | DROPPED)) == 0) {
      pend(0);
    }
    settle(0);
    batch = 0;
    release();
  }

  /** The interface that a frame which is no IP packet was sent on. */
  private NetDevice bySource(ArrivedFrame frame) {
    for (NetDevice card : cards) {
      if (frame.hasMacs && card.macAddress == frame.sourceMac) {
        return card;
      }
    }
    return cards.get(0);
  }

  /** Whoever sends from a port has a socket there, unless it is a reset. */
  private void learnPort(ArrivedFrame frame) {
    if (!host.net().withholdsAnswers) {
      return;
    }
    if (frame.protocol() == IpHeader.IPPROTO_TCP) {
      int at = frame.transport(TcpHeader.FLAGS_OFFSET + 1);
      if (at >= 0 && (frame.bytes[at + TcpHeader.FLAGS_OFFSET] & TcpHeader.RST) == 0) {
        host.portsInUse().addTcp(frame.u16(at));
      }
    } else if (frame.protocol() == IpHeader.IPPROTO_UDP) {
      int at = frame.transport(2);
      if (at >= 0) {
        host.portsInUse().addUdp(frame.u16(at));
      }
    }
  }

  // ---- the frames that are being handled --------------------------------------------------------

  private void open(int slot, ArrivedFrame frame, boolean sent) {
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

  private TraceListener record(int slot, ArrivedFrame frame, String device) {
    if (!details) {
      return null;
    }
    FrameRecord record = new FrameRecord();
    record.number = totals.read;
    record.time = frame.time;
    record.device = device;
    record.sent = sentSlot[slot];
    record.length = frame.originalLength;
    records[slot] = record;
    record.typed = typed;
    record.chosen = chosen;
    if (keepFrames || walks != null) {
      int whole = Math.max(0, frame.length - frame.fcsLength);
      record.frame = java.util.Arrays.copyOf(frame.bytes, whole);
    }
    boolean walked = walks != null && walks.wanted(record);
    if (!walked) {
      return null;
    }
    record.events = new ArrayList<>();
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

  /** Runs the softirq for the frames in the ring. */
  private void poll() {
    if (batch == 0) {
      return;
    }
    int before = host.net().skbs.outstanding();
    host.run();
    boolean held = host.net().skbs.outstanding() > before;
    noteWithheld();
    for (int slot = 0; slot < batch; slot++) {
      if (held && !hasFate(bits[slot])) {
        pend(slot);
      }
      settle(slot);
    }
    batch = 0;
    release();
  }

  /** What is held back is an answer all the same; frames come one by one then. */
  private void noteWithheld() {
    if (host.net().withheld > withheldBefore) {
      bits[0] |= ANSWERED;
    }
  }

  private static boolean hasFate(int bits) {
    return (bits & (FORWARDED | DELIVERED | DROPPED)) != 0;
  }

  private void pend(int slot) {
    if (pendingCount == pending.length) {
      if (pendingCount >= MOST_WAITING) {
        return;
      }
      pending = java.util.Arrays.copyOf(pending, 2 * pendingCount);
      pendingSent = java.util.Arrays.copyOf(pendingSent, 2 * pendingCount);
      pendingBits = java.util.Arrays.copyOf(pendingBits, 2 * pendingCount);
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
      for (Sink sink : sinks) {
        sink.frame(record);
      }
    }
  }

  /** The slot of frame {@code number} among those being handled, or -1. */
  private int slot(long number) {
    if (cursor < batch && numbers[cursor] == number) {
      return cursor;
    }
    for (int i = 0; i < batch; i++) {
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

  private static void note(FrameRecord record, SkBuff skb) {
    if (skb.ct != 0 || skb.ctInfo != 0) {
      record.state = Conntrack.stateName(skb);
      record.reply = skb.ct != 0 && ConntrackInfo.direction(skb.ctInfo) == ConntrackInfo.REPLY;
    }
  }

  /** Is it the packet that the frame is, and not one that was made because of it? */
  private static boolean isOriginal(SkBuff skb, boolean sent) {
    return sent || skb.iif != 0;
  }

  private final class Ear implements HostListener {
    @Override
    public void transmitted(NetDevice dev, SkBuff skb) {
      boolean forwarded = (skb.cbFlags & IpControlBlock.IPSKB_FORWARDED) != 0;
      totals.left++;
      long index = departures == null ? dev.txPackets : departures.left(dev, skb, host.now());
      int slot = slot(skb.frame);
      boolean captured = slot >= 0 && sentSlot[slot];
      if (departed != null && !captured && skb.protocol == EthernetHeader.ETH_P_IP) {
        departed.add(skb, host.now());
      }
      if (isArpRequest(skb)) {
        // A question, not an answer: the packet that asks for it goes on waiting.
        tellDeparture(dev, skb, index, false);
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
      tellDeparture(dev, skb, index, forwarded);
    }

    private void tellDeparture(NetDevice dev, SkBuff skb, long index, boolean forwarded) {
      if (!details || skb.frame == 0) {
        return;
      }
      FrameRecord record = recordOf(skb);
      if (record == null) {
        return;
      }
      byte[] bytes =
          keepDepartures || record.events != null
              ? java.util.Arrays.copyOfRange(skb.head, skb.data, skb.tail)
              : null;
      record.outs.add(new FrameRecord.Out(dev.name, index, bytes, forwarded));
      if (forwarded || record.sent) {
        note(record, skb);
      }
    }

    @Override
    public void dropped(SkBuff skb, DropReason reason, String function) {
      int slot = slot(skb.frame);
      if (slot < 0) {
        if (skb.frame != 0) {
          late(
              skb.frame, isOriginal(skb, isPendingSent(skb.frame)) ? DROPPED : 0, reason, function);
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
      }
    }
  }

  private final class RuleEar implements VerdictRecorder {
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
      boolean lost = verdict == Verdict.DROP;
      if (rule != null && (lost || rule.table() == TableKind.FILTER)) {
        record.verdict = rule;
        record.hook = hook;
      }
    }
  }
}
