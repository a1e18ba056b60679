// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.language.FrameBuilder;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.zip.CRC32C;

/** Conversations by other protocols than the three that everybody speaks. */
final class RandomProtocols extends Draws {
  private static final int DATA = 0;
  private static final int INIT = 1;
  private static final int INIT_ACK = 2;
  private static final int SACK = 3;
  private static final int ABORT = 6;
  private static final int SHUTDOWN = 7;
  private static final int SHUTDOWN_ACK = 8;
  private static final int COOKIE_ECHO = 10;
  private static final int COOKIE_ACK = 11;
  private static final int SHUTDOWN_COMPLETE = 14;

  private final RandomScenario scenario;
  private final RandomScenario.Flow flow;

  RandomProtocols(RandomScenario scenario, Random random) {
    super(random);
    this.scenario = scenario;
    flow = scenario.flow();
  }

  /** Appends a conversation. */
  void talk() {
    if (oneIn(2)) {
      sctp();
    } else {
      datagrams();
    }
  }

  private void add(int side, FrameBuilder builder, String comment) {
    scenario.add(side == 0 ? flow.clientSide() : flow.serverSide(), builder, comment);
  }

  private FrameBuilder frame(int side) {
    return side == 0
        ? scenario.frame(flow.clientSide(), flow.client(), flow.server())
        : scenario.frame(flow.serverSide(), flow.server(), flow.client());
  }

  // ---- SCTP
  // --------------------------------------------------------------------------------------

  /** An association from its beginning to its end, of which each part may be missing or wrong. */
  private void sctp() {
    int[] ports = {pick(5000, 5005, 4000), pick(80, 80, 22)};
    int[] tags = {random.nextInt() | 1, random.nextInt() | 1};
    int[][] chunks = {
      {0, INIT},
      {1, INIT_ACK},
      {0, COOKIE_ECHO},
      {1, COOKIE_ACK},
      {0, DATA},
      {1, SACK},
      {1, DATA},
      {0, SACK},
      {0, SHUTDOWN},
      {1, SHUTDOWN_ACK},
      {0, SHUTDOWN_COMPLETE},
    };
    for (int[] chunk : chunks) {
      if (oneIn(10)) {
        continue;
      }
      int type = oneIn(16) ? pick(ABORT, INIT, 4, 5, 9, 63, 130, COOKIE_ECHO) : chunk[1];
      sctp(chunk[0], ports, tags, type);
      if (oneIn(10)) {
        sctp(chunk[0], ports, tags, type);
      }
    }
  }

  /** RFC 9260: ports, verification tag, CRC32c, chunks. */
  private void sctp(int side, int[] ports, int[] tags, int type) {
    int tag = oneIn(20) ? random.nextInt() : type == INIT ? 0 : tags[1 - side];
    ByteBuffer packet = ByteBuffer.allocate(80);
    packet.putShort((short) ports[side]).putShort((short) ports[1 - side]).putInt(tag).putInt(0);
    chunk(packet, type, tags[side]);
    if (type == COOKIE_ECHO || type == COOKIE_ACK || oneIn(8)) {
      chunk(packet, oneIn(4) ? pick(ABORT, SACK, 4, SHUTDOWN) : DATA, tags[side]);
    }
    byte[] bytes = java.util.Arrays.copyOf(packet.array(), packet.position());
    if (oneIn(20)) {
      bytes = java.util.Arrays.copyOf(bytes, 12 + random.nextInt(bytes.length - 12));
    }
    CRC32C sum = new CRC32C();
    sum.update(bytes);
    int wrong = oneIn(20) ? 1 : 0;
    ByteBuffer.wrap(bytes).putInt(8, Integer.reverseBytes((int) sum.getValue()) + wrong);
    add(side, frame(side).transport(132, bytes, -1, false), "SCTP chunk " + type + " side " + side);
  }

  private void chunk(ByteBuffer packet, int type, int tag) {
    int start = packet.position();
    int flags = type == DATA ? pick(3, 3, 7, 2) : oneIn(8) ? 1 : 0;
    packet.put((byte) type).put((byte) flags).putShort((short) 0);
    switch (type) {
      case INIT, INIT_ACK -> packet.putInt(tag).putInt(8192).putInt(0x00010001).putInt(1);
      case DATA -> packet.putInt(1).putInt(0x00000001).putInt(0).putInt(0x61626364);
      case SACK -> packet.putInt(1).putInt(8192).putInt(0);
      case COOKIE_ECHO, SHUTDOWN -> packet.putInt(7);
      default -> {
        // Nothing behind its header.
      }
    }
    int length = oneIn(30) ? pick(0, 3, 4, 200) : packet.position() - start;
    packet.putShort(start + 2, (short) length);
  }

  // ---- others
  // ------------------------------------------------------------------------------------

  private void datagrams() {
    int protocol = pick(33, 47, 50, 51, 108, 136, 99);
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      int side = random.nextInt(2);
      FrameBuilder builder = frame(side);
      byte[] header = header(protocol, side);
      if (oneIn(12)) {
        header = java.util.Arrays.copyOf(header, random.nextInt(header.length + 1));
      }
      boolean sums = protocol == 136 && header.length == 8;
      builder.transport(protocol, header, sums ? 6 : -1, sums);
      builder.payload(scenario.bytes(pick(0, 4, 20)));
      add(side, builder, "protocol " + protocol + " side " + side);
      if (oneIn(8)) {
        scenario.icmpError(flow, builder.packet(), side);
      }
    }
  }

  private byte[] header(int protocol, int side) {
    int spi = pick(1, 100, 150, 300);
    ByteBuffer header = ByteBuffer.allocate(24);
    int ports = side == 0 ? 5000 << 16 | 80 : 80 << 16 | 5000;
    switch (protocol) {
      // Ports, data offset, then type and the long sequence number; option 41 in the last word.
      case 33 ->
          header
              .putInt(ports)
              .put((byte) 6)
              .put((byte) 0)
              .putShort((short) 0)
              .put((byte) (pick(0, 1, 2, 7) << 1 | 1))
              .put(new byte[7])
              .putInt(0)
              .put((byte) pick(41, 0))
              .put((byte) 3)
              .putShort((short) 0);
      case 47 -> header.putInt(pick(0x00000800, 0x20000800, 0x00016558)).putInt(7);
      case 50 -> header.putInt(spi).putInt(1);
      case 51 -> header.putInt(0x06040000).putInt(spi).putInt(1);
      case 108 -> header.putInt(0x06000000 | pick(1, 2, 9));
      case 136 -> header.putInt(ports).putShort((short) pick(0, 0, 8)).putShort((short) 0);
      default -> header.putInt(random.nextInt());
    }
    return java.util.Arrays.copyOf(header.array(), header.position());
  }
}
