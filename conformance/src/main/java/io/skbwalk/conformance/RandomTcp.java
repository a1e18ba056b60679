// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.language.FrameBuilder;
import java.io.ByteArrayOutputStream;
import java.util.Random;

/**
 * A TCP conversation of two real stacks that something befalls: lost, repeated and reordered
 * segments, SACK blocks, scaled windows, keepalives, resets in and out of the window, both opening
 * at once, the same ports opened again.
 */
final class RandomTcp extends Draws {
  private static final int FIN = 0x01;
  private static final int SYN = 0x02;
  private static final int RST = 0x04;
  private static final int PSH = 0x08;
  private static final int ACK = 0x10;
  private static final int URG = 0x20;

  private final RandomScenario scenario;
  private final RandomScenario.Flow flow;
  private final int[] port;

  /** What each side sends next. */
  private final int[] next = new int[2];

  /** What each side has seen of the other. */
  private final int[] seen = new int[2];

  private final int[] scale = new int[2];
  private final boolean[] closed = new boolean[2];
  private boolean timestamps;
  private boolean sack;
  private boolean scales;

  RandomTcp(RandomScenario scenario, Random random) {
    super(random);
    this.scenario = scenario;
    flow = scenario.flow();
    // Few ports, so that conversations of one scenario get into each other's way.
    int client = oneIn(2) ? pick(1234, 30000, 40000, 600, 300) : 1024 + random.nextInt(60000);
    port = new int[] {client, pick(22, 53, 80, 443, 8080, 5000, 40000)};
  }

  /** Appends the conversation. */
  void talk() {
    int connections = oneIn(4) ? 2 + random.nextInt(2) : 1;
    for (int i = 0; i < connections; i++) {
      connection(i > 0);
    }
  }

  private void connection(boolean again) {
    if (again) {
      next[0] += pick(1, 64_000, -64_000, 10_000_000, random.nextInt());
      next[1] += pick(0, 64_000, random.nextInt());
    } else {
      next[0] = oneIn(6) ? -pick(1, 10, 400) : random.nextInt();
      next[1] = oneIn(6) ? -pick(1, 10, 400) : random.nextInt();
    }
    closed[0] = false;
    closed[1] = false;
    timestamps = oneIn(2);
    sack = oneIn(2);
    scales = oneIn(2);
    scale[0] = pick(0, 2, 7, 14, 15);
    scale[1] = pick(0, 2, 7, 14, 255);
    seen[0] = next[1];
    seen[1] = next[0];
    open();
    int events = random.nextInt(12);
    for (int i = 0; i < events; i++) {
      event();
    }
    if (oneIn(2)) {
      close();
    }
  }

  // ---- opening and closing
  // -----------------------------------------------------------------------

  private void open() {
    switch (random.nextInt(12)) {
      case 0 -> {
        // Nobody saw it begin.
      }
      case 1 -> {
        // Both at once: SYN and SYN, then SYN/ACK and SYN/ACK.
        segment(0, SYN, next[0], 0, 0, true);
        segment(1, SYN, next[1], 0, 0, true);
        next[0]++;
        next[1]++;
        seen[0] = next[1];
        seen[1] = next[0];
        segment(0, SYN | ACK, next[0] - 1, seen[0], 0, true);
        segment(1, SYN | ACK, next[1] - 1, seen[1], 0, true);
        if (oneIn(2)) {
          segment(0, ACK, next[0], seen[0], 0, false);
        }
      }
      case 2 -> {
        // The answer comes, its acknowledgement does not.
        segment(0, SYN, next[0]++, 0, 0, true);
        seen[1] = next[0];
        segment(1, SYN | ACK, next[1], seen[1], 0, true);
        segment(1, SYN | ACK, next[1]++, seen[1], 0, true);
        seen[0] = next[1];
      }
      case 3 -> {
        // Refused.
        segment(0, SYN, next[0]++, 0, 0, true);
        segment(1, RST | ACK, oneIn(4) ? next[1] : 0, next[0] + (oneIn(4) ? 1 : 0), 0, false);
      }
      case 4 -> {
        // An answer to something else, which the client resets, then the right one.
        segment(0, SYN, next[0]++, 0, 0, true);
        int stray = next[0] + pick(-1, 1, 5000, -5000);
        segment(1, oneIn(2) ? ACK : SYN | ACK, next[1] - 77, stray, 0, oneIn(2));
        segment(0, RST, stray, 0, 0, false);
        segment(0, SYN, next[0] - 1, 0, 0, true);
        seen[1] = next[0];
        segment(1, SYN | ACK, next[1]++, seen[1], 0, true);
        seen[0] = next[1];
        segment(0, ACK, next[0], seen[0], 0, false);
      }
      default -> {
        segment(0, SYN, next[0], 0, oneIn(12) ? 20 : 0, true);
        if (oneIn(8)) {
          segment(0, SYN, next[0] + pick(0, 0, 1, 1000), 0, 0, true);
        }
        next[0]++;
        seen[1] = next[0];
        segment(1, SYN | ACK, next[1]++, seen[1], 0, true);
        seen[0] = next[1];
        segment(0, ACK, next[0], seen[0], 0, false);
      }
    }
  }

  private void close() {
    int first = random.nextInt(2);
    switch (random.nextInt(4)) {
      case 0 -> {
        // Both at once.
        segment(first, FIN | ACK, next[first], seen[first], 0, false);
        segment(1 - first, FIN | ACK, next[1 - first], seen[1 - first], 0, false);
        next[0]++;
        next[1]++;
        seen[0] = next[1];
        seen[1] = next[0];
        segment(0, ACK, next[0], seen[0], 0, false);
        segment(1, ACK, next[1], seen[1], 0, false);
      }
      case 1 -> segment(first, RST | ACK, next[first], seen[first], 0, false);
      default -> {
        segment(first, FIN | ACK, next[first]++, seen[first], 0, false);
        seen[1 - first] = next[first];
        if (oneIn(2)) {
          segment(1 - first, ACK, next[1 - first], seen[1 - first], 0, false);
        }
        segment(1 - first, FIN | ACK, next[1 - first]++, seen[1 - first], 0, false);
        seen[first] = next[1 - first];
        segment(first, ACK, next[first], seen[first], 0, false);
      }
    }
    if (oneIn(4)) {
      // The last words again.
      segment(first, ACK, next[first], seen[first], 0, false);
    }
  }

  // ---- in between
  // --------------------------------------------------------------------------------

  private void event() {
    int side = random.nextInt(2);
    int other = 1 - side;
    int length = pick(0, 1, 10, 100, 536, 536);
    switch (random.nextInt(20)) {
      case 0 -> {
        // Lost on its way to here: the next comes first, the far end asks with SACK.
        segment(side, ACK | PSH, next[side] + length, seen[side], 100, false);
        segment(other, ACK, next[other], next[side], 0, false, next[side] + length, 100);
        segment(side, ACK | PSH, next[side], seen[side], length, false);
        next[side] += length + 100;
        seen[other] = next[side];
        segment(other, ACK, next[other], seen[other], 0, false);
      }
      case 1 -> {
        // Sent again, with other data, or more of it.
        segment(side, ACK | PSH, next[side], seen[side], length, false);
        segment(side, ACK | PSH, next[side], seen[side], length + pick(0, 0, 50), false);
        if (oneIn(2)) {
          segment(side, ACK | PSH, next[side], seen[side], length, false);
          segment(side, ACK | PSH, next[side], seen[side], length, false);
        }
        next[side] += length;
      }
      case 2 ->
          // Keepalive, with or without the byte.
          segment(side, ACK, next[side] - 1, seen[side], random.nextInt(2), false);
      case 3 ->
          // A reset that fits, nearly fits, or does not.
          segment(
              side,
              oneIn(2) ? RST : RST | ACK,
              next[side] + pick(0, 0, 1, -1, 1000, 100_000, -100_000),
              oneIn(2) ? 0 : seen[side],
              0,
              false);
      case 4 -> {
        // Opened anew while the far end knows the old one: challenge, reset, SYN.
        int sequence = next[side] + pick(0, 5, 100_000, -100_000, random.nextInt());
        segment(side, SYN, sequence, 0, 0, true);
        segment(other, ACK, next[other], seen[other], 0, false);
        if (oneIn(2)) {
          segment(side, RST, seen[other], 0, 0, false);
          segment(side, SYN, sequence, 0, 0, true);
          if (oneIn(2)) {
            next[side] = sequence + 1;
            seen[other] = next[side];
            segment(other, SYN | ACK, next[other]++, seen[other], 0, true);
            seen[side] = next[other];
          }
        }
      }
      case 5 ->
          // Outside of the window, ahead or behind.
          segment(
              side,
              ACK | PSH,
              next[side] + pick(65_536, 70_000, 1 << 20, -70_000, -(1 << 20), 0x7FFFFFFF),
              seen[side],
              length,
              false);
      case 6 ->
          // Acknowledges what was not sent, or long ago.
          segment(
              side, ACK, next[side], seen[side] + pick(1, 10, 70_000, -70_000, -66_000), 0, false);
      case 7 -> {
        segment(side, FIN | ACK, next[side], seen[side], length, false);
        if (!closed[side]) {
          closed[side] = true;
          next[side] += length + 1;
        }
      }
      case 8 ->
          segment(side, random.nextInt(256), next[side], seen[side], oneIn(3) ? length : 0, false);
      case 9 ->
          segment(side, ACK | PSH | URG, next[side], seen[side], Math.max(length, 1), oneIn(4));
      case 10 -> {
        // An acknowledgement again and again, as for a lost segment.
        for (int i = 0; i < 3; i++) {
          segment(side, ACK, next[side], seen[side], 0, false);
        }
      }
      case 11 ->
          // A bad SACK block.
          segment(
              side,
              ACK,
              next[side],
              seen[side],
              0,
              false,
              seen[side] + pick(-100_000, 100_000, 1 << 20, 0),
              pick(0, 1, 1000, -5));
      case 12 ->
          // SYN/ACK in the middle.
          segment(side, SYN | ACK, next[side] - pick(0, 1), seen[side], 0, true);
      default -> {
        segment(side, oneIn(2) ? ACK : ACK | PSH, next[side], seen[side], length, false);
        next[side] += length;
        if (!oneIn(3)) {
          seen[other] = next[side];
        }
        if (oneIn(2)) {
          segment(other, ACK, next[other], seen[other], 0, false);
        }
      }
    }
  }

  // ---- one segment
  // -------------------------------------------------------------------------------

  /** {@code blocks}: left edge and length of SACK blocks, in turn. */
  private void segment(
      int side, int flags, int sequence, int ack, int length, boolean opens, int... blocks) {
    String device = side == 0 ? flow.clientSide() : flow.serverSide();
    FrameBuilder builder =
        scenario.frame(
            device,
            side == 0 ? flow.client() : flow.server(),
            side == 0 ? flow.server() : flow.client());
    int window = oneIn(4) ? pick(0, 1, 100, 1000, 65_535) : pick(8192, 29_200, 512);
    builder.tcp(
        port[side], port[1 - side], flags, sequence, ack, window, options(side, opens, blocks));
    // What the host sends longer than a route's MTU is cut by TCP itself, not by a raw socket.
    builder.payload(scenario.bytes(device == null ? Math.min(length, 400) : length));
    if ((flags & URG) != 0) {
      builder.tcpOverrides(-1, pick(0, 1, 0xFFFF));
    }
    scenario.add(
        device,
        builder,
        String.format("TCP flags 0x%02x side %d seq %+d", flags, side, sequence - next[side]));
    if (oneIn(40)) {
      scenario.icmpError(flow, builder.packet(), side);
    }
  }

  private byte[] options(int side, boolean opens, int... blocks) {
    ByteArrayOutputStream options = new ByteArrayOutputStream();
    if (opens) {
      put(options, 2, 4, pick(5, 5, 2, 0), pick(0xb4, 0x18));
      if (scales) {
        put(options, 1, 3, 3, scale[side]);
      }
      if (sack) {
        put(options, 1, 1, 4, 2);
      }
    }
    if (timestamps) {
      put(options, 1, 1, 8, 10, 0, 0, 1, random.nextInt(256), 0, 0, 1, random.nextInt(256));
    }
    if (blocks.length > 0) {
      put(options, 1, 1, 5, 2 + blocks.length * 4);
      for (int i = 0; i < blocks.length; i += 2) {
        put32(options, blocks[i]);
        put32(options, blocks[i] + blocks[i + 1]);
      }
    }
    if (oneIn(40)) {
      // Broken: a length of 0, one beyond the end, an end before the end.
      String[] broken = {"03000000", "02280000", "00030307", "fe02fd04", "05ff0000", "01010802"};
      byte[] bytes = java.util.HexFormat.of().parseHex(broken[random.nextInt(broken.length)]);
      options.write(bytes, 0, bytes.length);
    }
    return options.size() > 40 ? new byte[0] : options.toByteArray();
  }

  private static void put(ByteArrayOutputStream options, int... bytes) {
    for (int value : bytes) {
      options.write(value);
    }
  }

  private static void put32(ByteArrayOutputStream options, int value) {
    put(options, value >>> 24, value >>> 16, value >>> 8, value);
  }
}
