// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureMerger;
import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.FrameFilter;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.kernel.Clock;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceListener;
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
     * @param cause tells of the frame because of which it leaves, as far as is known; or null
     * @param forwarded it is that frame's packet
     * @return its index from 1 among those of {@code dev}
     */
    long left(NetDevice dev, SkBuff skb, long time, FrameRecord cause, boolean forwarded);
  }

  /** Is shown each frame of the captures before anything becomes of it. */
  public interface Captured {
    /**
     * A frame was read.
     *
     * @param number from 1, as its record will have it
     * @param capture which capture, from 0
     */
    void read(long number, int capture, CaptureReader reader);

    /** The frame read last is not replayed and gets no record. */
    void passedOver(String why);
  }

  private final Host host;
  private final FrameAssignment assignment;
  private final Fates fates;
  private final boolean lone;
  private final FrameFilter filter;

  /** What left without being in the capture; null when a capture cannot show it again. */
  private final Departed departed;

  private final ArrivedFrame[] slots = new ArrivedFrame[Fates.MOST];
  private NetDevice batchDevice;
  private boolean typed;

  /** The far ends of a scenario's conversations; null while it has none. */
  private Conversations conversations;

  private FrameFilter chooser;
  private boolean chosen = true;

  /** The frame between {@link #take} and {@link #arrive}; null when the filter leaves it out. */
  private ArrivedFrame taken;

  /** The machine itself sent it. */
  private boolean own;

  /**
   * The frame because of which this machine has sent the one at hand itself; -1 when it has not.
   */
  private long cause;

  /** Null while nobody wants the captures' frames. */
  private Captured captured;

  /** Packets of scenarios so far. */
  private long places;

  private boolean stopped;

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
    host.net().withholdsAnswers = answers == Answers.CAPTURE;
    assignment = new FrameAssignment(host);
    fates = new Fates(host, totals, departed, walks);
    for (int i = 0; i < slots.length; i++) {
      slots[i] = new ArrivedFrame();
    }
  }

  /** Gives the record of each frame to {@code sink}. */
  public void add(Sink sink) {
    fates.add(sink);
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
    fates.keepFrames();
  }

  /** Records keep the bytes of the frames that left. */
  public void keepDepartures() {
    fates.keepDepartures();
  }

  /** Records keep what the packet was like in the end. */
  public void keepEnds() {
    fates.keepEnds();
  }

  /** Tells {@code departures} of each frame that leaves. */
  public void setDepartures(Departures departures) {
    fates.setDepartures(departures);
  }

  /** Shows {@code captured} each frame as it is read. */
  public void setCaptured(Captured captured) {
    this.captured = captured;
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
    runTogether(captures, List.of(this), List.of(devices));
  }

  /**
   * Replays captures through several machines to their end, each frame through all of them before
   * the next. What one of them has just sent itself is in the capture because such a machine was
   * there; none of them sends it again.
   *
   * @param devices of each replay as in {@link #run(CaptureMerger, List)}
   */
  public static void runTogether(
      CaptureMerger captures, List<Replay> replays, List<List<NetDevice>> devices) {
    for (Replay replay : replays) {
      replay.fates.begin();
    }
    while (!stopped(replays) && captures.next()) {
      CaptureReader reader = captures.current();
      int index = captures.index();
      boolean again = false;
      for (int i = 0; i < replays.size(); i++) {
        again |= replays.get(i).take(index, reader, devices.get(i).get(index));
      }
      for (int i = 0; i < replays.size(); i++) {
        replays.get(i).arrive(reader, devices.get(i).get(index), again);
      }
    }
    for (int i = 0; i < replays.size(); i++) {
      replays.get(i).poll();
    }
  }

  private static boolean stopped(List<Replay> replays) {
    for (int i = 0; i < replays.size(); i++) {
      if (replays.get(i).stopped) {
        return true;
      }
    }
    return false;
  }

  /** Takes no more frames: a sink has seen what it wanted. */
  public void stop() {
    stopped = true;
  }

  /** Replays packets that were typed, behind all others, a millisecond after each other. */
  public void runTyped(List<ScenarioPacket> packets) {
    typed = true;
    chosen = true;
    if (packets.stream().anyMatch(packet -> !packet.answers().isEmpty())) {
      fates.keepAnswers();
    }
    for (ScenarioPacket packet : packets) {
      run(List.of(packet), totals.frames == 0 ? host.now() : host.now() + Clock.SECOND / 1000);
    }
    typed = false;
  }

  /** Replays the packets of a scenario, the first at {@code start}. */
  public long run(List<ScenarioPacket> packets, long start) {
    if (conversations == null && packets.stream().anyMatch(packet -> packet.turn() != null)) {
      conversations = new Conversations();
      keepDepartures();
      add(conversations);
    }
    fates.begin();
    if (packets.stream().anyMatch(packet -> !packet.answers().isEmpty())) {
      fates.keepAnswers();
    }
    long time = start;
    for (ScenarioPacket packet : packets) {
      if (stopped) {
        break;
      }
      sendOwed(time + packet.afterNanos() / 2);
      totals.read++;
      places++;
      time += packet.afterNanos();
      byte[] bytes = packet.bytes();
      if (!packet.answers().isEmpty()) {
        // What it answers may still wait in the ring.
        poll();
        bytes = fates.answers().fill(packet);
      }
      String device = packet.device();
      if (packet.turn() != null) {
        poll();
        Conversations.Ready ready = conversations.next(packet, totals.read, places);
        if (ready == null) {
          // Frames are numbered as they come.
          totals.read -= conversations.waits(packet) ? 1 : 0;
          continue;
        }
        device = ready.device();
        bytes = ready.bytes();
      }
      arrive(packet, device, bytes, time, places);
    }
    sendOwed(time);
    poll();
    return time;
  }

  private void arrive(ScenarioPacket packet, String device, byte[] bytes, long time, long place) {
    ArrivedFrame frame = slots[fates.count()];
    if (device == null) {
      byte[] framed = new byte[bytes.length + 14];
      System.arraycopy(bytes, 0, framed, 14, bytes.length);
      framed[12] = 0x08;
      frame.take(framed, time);
      frame.owner = packet.owner();
      frame.place = place;
      if (packet.turn() != null && !packet.turn().reply()) {
        usePort(frame);
      }
      send(frame, assignment.only());
    } else {
      frame.take(bytes, time);
      frame.place = place;
      receive(frame, host.device(device));
    }
  }

  /** The answer that SYNPROXY has made wait, now that it may come. */
  private void sendOwed(long time) {
    if (conversations == null || !conversations.areWaiting()) {
      return;
    }
    poll();
    ScenarioPacket owed = conversations.owed();
    if (owed != null) {
      totals.read++;
      Conversations.Ready ready = conversations.late(owed, totals.read);
      arrive(owed, ready.device(), ready.bytes(), time, ready.place());
    }
  }

  /** How many packets of scenarios were taken up: the next one's {@link FrameRecord#place}. */
  public long places() {
    return places;
  }

  /**
   * What did not arrive of that conversation of a scenario; null when all did.
   *
   * @param conversation as in {@link ScenarioPacket.Turn}
   */
  public String broken(int conversation) {
    return conversations.broken(conversation);
  }

  /** Hands out the records that still wait for a fate. Nothing may arrive any more. */
  public void finish() {
    poll();
    fates.finish();
  }

  /** Takes the reader's frame up; is it one that this machine has just sent itself? */
  private boolean take(int index, CaptureReader reader, NetDevice given) {
    totals.read++;
    if (captured != null) {
      captured.read(totals.read, index, reader);
    }
    chosen = chooser == null || chooser.matches(reader);
    taken = null;
    if (filter != null && !filter.matches(reader)) {
      totals.filtered++;
      if (captured != null) {
        captured.passedOver("left out by --filter");
      }
      return false;
    }
    ArrivedFrame frame = slots[fates.count()];
    taken = frame;
    frame.take(reader);
    if (frame.originalLength > frame.length) {
      totals.shortened++;
    }
    own = given == null && lone && assignment.isOwn(frame);
    cause = -1;
    if (own) {
      flush(frame);
      if (frame.isIp()) {
        cause = departed.take(frame);
      }
    }
    return cause >= 0;
  }

  /** The frame taken up arrives, or is sent. */
  private void arrive(CaptureReader reader, NetDevice given, boolean again) {
    ArrivedFrame frame = taken;
    if (frame == null) {
      return;
    }
    if (again) {
      totals.seenAgain++;
      if (captured != null) {
        captured.passedOver(
            "left this machine"
                + (cause > 0 ? " because of frame " + cause : "")
                + "; not replayed again");
      }
      return;
    }
    if (given != null) {
      frame.complete(given.macAddress);
      receive(frame, given);
      return;
    }
    NetDevice named = assignment.named(reader);
    if (own) {
      send(frame, named);
      return;
    }
    NetDevice dev = named != null ? named : assignment.assigned(frame);
    frame.complete(dev.macAddress);
    receive(frame, dev);
  }

  private void receive(ArrivedFrame frame, NetDevice dev) {
    if (fates.count() > 0
        && (dev != batchDevice
            || frame.time != slots[0].time
            || host.net().withholdsAnswers
            || host.ringSpace(dev) == 0)) {
      flush(frame);
    }
    if (fates.count() == 0) {
      host.advanceTo(frame.time);
    }
    batchDevice = dev;
    fates.open(frame, false);
    TraceListener trace = fates.record(frame, dev.name, typed, chosen);
    host.setNextNumber(totals.read);
    host.enqueue(dev, frame.bytes, 0, frame.length, frame.fcsLength, frame.time, trace);
    if (fates.count() == Fates.MOST) {
      poll();
    }
  }

  /**
   * Handles what is in the ring; {@code frame}, read behind it, becomes the first of the next
   * batch.
   */
  private void flush(ArrivedFrame frame) {
    int slot = fates.count();
    if (slot > 0) {
      poll();
      slots[slot] = slots[0];
      slots[0] = frame;
    }
  }

  private void send(ArrivedFrame frame, NetDevice named) {
    flush(frame);
    host.advanceTo(frame.time);
    fates.open(frame, true);
    TraceListener trace = fates.record(frame, "", typed, chosen);
    host.setNextNumber(totals.read);
    int before = host.net().skbs.outstanding();
    if (frame.isIp()) {
      learnPort(frame);
      int bytes = frame.length - frame.fcsLength - frame.network;
      host.send(frame.bytes, frame.network, bytes, frame.owner, frame.time, trace);
    } else {
      NetDevice dev = named == null ? assignment.bySource(frame) : named;
      frame.complete(dev.macAddress);
      host.sendFrame(dev, frame.bytes, 0, frame.length - frame.fcsLength, frame.time, trace);
    }
    fates.close(host.net().skbs.outstanding() > before);
  }

  /** Runs the softirq for the frames in the ring. */
  private void poll() {
    if (fates.count() > 0) {
      int before = host.net().skbs.outstanding();
      host.run();
      fates.close(host.net().skbs.outstanding() > before);
    }
  }

  /** Whoever sends from a port has a socket there, unless it is a reset. */
  private void learnPort(ArrivedFrame frame) {
    if (host.net().withholdsAnswers) {
      usePort(frame);
    }
  }

  private void usePort(ArrivedFrame frame) {
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
}
