// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.bench.ConversationRouter;
import io.skbwalk.bench.SegmentWriter;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.kernel.Clock;
import java.io.IOException;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Ten million connections at once, half of them translated, each opened by its handshake; then
 * segments of all of them in no order; then as many new ones as old ones expire.
 */
final class ConnectionsFigure {
  private static final int FEW = 10_000;
  private static final int BATCH = 64;
  private static final int NETWORK = 0x2D00_0000;
  private static final int SERVER = 0xC0A8_0750;
  private static final int ROUTER = 0xCB00_7101;
  private static final int SEGMENT = 400;

  /** What an established connection lives for without a segment. */
  private static final long ESTABLISHED = 432_000 * Clock.SECOND;

  private final SegmentWriter segment = new SegmentWriter();
  private final Host host = roomyRouter();
  private final NetDevice outside = host.device("eth0");
  private final NetDevice inside = host.device("eth1");
  private final Pauses pauses;
  private long time = ConversationRouter.START;
  private int id;

  private ConnectionsFigure(int batches) {
    pauses = new Pauses(batches);
  }

  static Table measure(Setting setting) throws IOException {
    int many = setting.scaled(10_000_000);
    int few = Math.min(many, FEW);
    int segments = setting.scaled(4_000_000);
    // Few and many alike first, so that the JVM has compiled all of it.
    for (int i = 0; i < setting.warmups(); i++) {
      ConnectionsFigure warm = new ConnectionsFigure(3 * segments / BATCH);
      warm.open(0, few, 1);
      warm.talk(few, segments / 4);
      warm.open(few, 2 * few, ESTABLISHED / few);
    }
    ConnectionsFigure small = new ConnectionsFigure(3 * segments / BATCH);
    small.open(0, few, 1);
    Cost atFew = null;
    for (int i = 0; i < setting.rounds(); i++) {
      atFew = small.talk(few, segments / 4).best(atFew);
    }

    // What the others have left behind is not part of what ten million need.
    small = null;
    System.gc();
    Collections collected = Collections.sinceStart();
    ConnectionsFigure large = new ConnectionsFigure((3 * many + 8 * segments) / BATCH);
    Cost opening = large.open(0, many, ESTABLISHED / many);
    Worst worstOpening = large.pauses.end();
    int tracked = large.host.conntrack().count();
    Cost atMany = null;
    for (int i = 0; i < 2; i++) {
      atMany = large.talk(many, segments).best(atMany);
    }
    Worst worstTalking = large.pauses.end();
    int before = large.host.conntrack().count();
    Cost churn = large.open(many, many + segments / 3, ESTABLISHED / many);
    Worst worstChurning = large.pauses.end();
    int expired = before + segments / 3 - large.host.conntrack().count();

    Table table =
        new Table(
            Table.grouped(many)
                + " connections at once, every second one translated; thirty rules");
    List<String[]> rows = new ArrayList<>();
    rows.add(
        new String[] {
          "frames",
          "M frames/s",
          "ns a frame, processor",
          "99.99 % of batches within, ms, processor",
          "wall"
        });
    rows.add(row("segments of " + Table.grouped(few) + " connections", atFew, null));
    rows.add(row("handshakes of " + Table.grouped(many), opening, worstOpening));
    rows.add(row("segments of " + Table.grouped(many), atMany, worstTalking));
    rows.add(row("handshakes while as many expire", churn, worstChurning));
    table.table(rows);
    double gigabytes = Child.mostMemory() / (double) (1 << 30);
    table.atLeast("tracked at once", many, tracked, "connections");
    table.atMost("all memory of the process", 1.5, gigabytes, "GiB");
    table.atLeast(
        "segments, against " + Table.grouped(few),
        1 / 3.0,
        atMany.cpuRate() / atFew.cpuRate(),
        "of the rate");
    table.atMost(
        "99.99 % of batches of " + BATCH,
        5,
        Math.max(worstOpening.processor, Math.max(worstTalking.processor, worstChurning.processor)),
        "ms");
    table.seen(
        "expiry: a handshake's frame while connections expire, beside one while none does",
        churn.nanosPerFrame() / opening.nanosPerFrame(),
        "times its time");
    table.note(
        String.format(
            "%,d connections expired; %s meanwhile; longest batch of all %.1f ms of processor time,"
                + " %.1f ms by the clock.",
            expired,
            Collections.sinceStart().since(collected),
            large.pauses.longest().processor,
            large.pauses.longest().wall));
    return table;
  }

  /** The router, with room for all of them. */
  private static Host roomyRouter() {
    Map<String, String> sysctls = new LinkedHashMap<>(ConversationRouter.description().sysctls());
    sysctls.put("net.netfilter.nf_conntrack_max", "20000000");
    return new Host(
        ConversationRouter.description().withSysctls(sysctls),
        ConversationRouter.rules(),
        ConversationRouter.START,
        1);
  }

  private static String[] row(String what, Cost cost, Worst worst) {
    return new String[] {
      what,
      Table.number(cost.cpuRate()),
      Table.number(cost.nanosPerFrame()),
      worst == null ? "" : Table.number(worst.processor),
      worst == null ? "" : Table.number(worst.wall)
    };
  }

  /** Handshakes of the connections from {@code first} to before {@code behind}. */
  private Cost open(int first, int behind, long nanosBetween) {
    Meter meter = new Meter();
    for (int number = first; number < behind; number++) {
      time += nanosBetween;
      client(number, 0, 0, SegmentWriter.SYN, 0);
      server(number, 0, 1, SegmentWriter.SYN | SegmentWriter.ACK, 0);
      client(number, 1, 1, SegmentWriter.ACK, 0);
    }
    return meter.stop(3L * (behind - first));
  }

  /**
   * So many segments, of another connection with every third: data both ways, and all of it
   * acknowledged, so that each connection is good for five days again.
   */
  private Cost talk(int connections, int segments) {
    Meter meter = new Meter();
    for (int i = 0; i + 2 < segments; i += 3) {
      // A step that meets all of them once before it comes back.
      int number = (int) (i / 3 * 7_368_787L % connections);
      time += 30_000;
      client(number, 1, 1, SegmentWriter.ACK, SEGMENT);
      server(number, 1, 1 + SEGMENT, SegmentWriter.ACK, SEGMENT);
      client(number, 1 + SEGMENT, 1 + SEGMENT, SegmentWriter.ACK, 0);
    }
    return meter.stop(segments / 3 * 3L);
  }

  private void client(int number, int sequence, int acknowledged, int flags, int payload) {
    segment.arrives(true);
    segment.ip(address(number), (number & 1) == 0 ? SERVER : ROUTER, id++, payload);
    int bytes =
        segment.tcp(
            port(number), 80, number + sequence, ~number + acknowledged, flags, time, payload);
    receive(outside, bytes);
  }

  private void server(int number, int sequence, int acknowledged, int flags, int payload) {
    segment.arrives(false);
    segment.ip(SERVER, address(number), id++, payload);
    int bytes =
        segment.tcp(
            80, port(number), ~number + sequence, number + acknowledged, flags, time, payload);
    receive(inside, bytes);
  }

  private static int address(int number) {
    return NETWORK + (number & 0xF_FFFF);
  }

  private static int port(int number) {
    return 1_024 + (number >>> 20);
  }

  private void receive(NetDevice dev, int bytes) {
    host.receive(dev, segment.frame, 0, bytes, 0, time, null);
    pauses.frame();
  }

  /** What the garbage collector has done. */
  private record Collections(long count, long millis) {
    private static final List<GarbageCollectorMXBean> COLLECTORS =
        ManagementFactory.getGarbageCollectorMXBeans();

    static Collections sinceStart() {
      long count = 0;
      long millis = 0;
      for (GarbageCollectorMXBean one : COLLECTORS) {
        count += one.getCollectionCount();
        millis += one.getCollectionTime();
      }
      return new Collections(count, millis);
    }

    Collections since(Collections earlier) {
      return new Collections(count - earlier.count, millis - earlier.millis);
    }

    @Override
    public String toString() {
      return count + " garbage collections took " + millis + " ms";
    }
  }

  /**
   * How long each {@value #BATCH} frames took: by the clock, and in processor time with that of the
   * garbage collector, which other processes do not lengthen.
   */
  private static final class Pauses {
    private final long[] scratch = new long[2];
    private final int[] wall;
    private final int[] processor;
    private int batches;
    private int from;
    private int frames;
    private long began = System.nanoTime();
    private long processorBegan = processorNanos();

    private long processorNanos() {
      return Child.ownProcessorNanos(scratch) + Collections.sinceStart().millis * 1_000_000;
    }

    Pauses(int most) {
      wall = new int[most + 1];
      processor = new int[most + 1];
    }

    void frame() {
      if (++frames == BATCH) {
        long now = System.nanoTime();
        long processorNow = processorNanos();
        if (batches < wall.length) {
          wall[batches] = (int) ((now - began) / 1_000);
          processor[batches++] = (int) ((processorNow - processorBegan) / 1_000);
        }
        began = now;
        processorBegan = processorNow;
        frames = 0;
      }
    }

    /** What all but one of ten thousand batches since the last call took at most. */
    Worst end() {
      Worst worst =
          new Worst(
              worst(Arrays.copyOfRange(wall, from, batches)),
              worst(Arrays.copyOfRange(processor, from, batches)));
      from = batches;
      began = System.nanoTime();
      processorBegan = processorNanos();
      frames = 0;
      return worst;
    }

    private static double worst(int[] micros) {
      Arrays.sort(micros);
      return micros.length == 0 ? 0 : micros[(int) (micros.length * 0.9999)] / 1e3;
    }

    Worst longest() {
      return new Worst(
          Arrays.stream(wall, 0, batches).max().orElse(0) / 1e3,
          Arrays.stream(processor, 0, batches).max().orElse(0) / 1e3);
    }
  }

  /** Milliseconds. */
  private record Worst(double wall, double processor) {}
}
