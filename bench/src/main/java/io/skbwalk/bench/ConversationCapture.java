// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.lib.Checksum;
import java.nio.file.Path;
import java.util.SplittableRandom;

/**
 * Writes a capture of TCP conversations as the two sides of a router see them arrive: clients on
 * the internet fetch from servers of 192.168.7.0/24, half of them by the router's own address,
 * which it translates. Checksums, sequence numbers, window scaling and timestamps are right;
 * several hundred conversations run at a time, interleaved. The same arguments give the same bytes.
 *
 * <pre>
 *  client                        server      frames
 *    SYN, SYN/ACK, ACK                       3
 *    request, 330 bytes           ACK        2
 *    ACK                          1,060      2 each, twenty times
 *    FIN/ACK, ACK, FIN/ACK, ACK              4
 *    ACK (window)                            1     fifty in all, about 500 bytes on average
 * </pre>
 */
public final class ConversationCapture {
  /** Frames of a conversation. */
  public static final int FRAMES = 50;

  private static final int CONCURRENT = 500;
  private static final int REQUEST = 330;
  private static final int SEGMENT = 1_060;
  private static final int OPTIONS = 12;
  private static final int TCP = 34;
  private static final int HEADERS = TCP + 20 + OPTIONS;

  private static final int FIN = 1;
  private static final int SYN = 2;
  private static final int PSH = 8;
  private static final int ACK = 16;

  private static final long ROUTER_OUTSIDE = 0x0200_0000_0001L;
  private static final long ROUTER_INSIDE = 0x0200_0000_0101L;
  private static final long GATEWAY = 0x0200_0000_00FEL;
  private static final long SERVER = 0x0200_0000_0750L;

  private static final int ROUTER = 0xCB00_7101;
  private static final int[] SERVERS = {80, 80, 80, 81, 25, 53};
  private static final int[] PORTS = {80, 443, 443, 8080, 25, 53};

  private final byte[] frame = new byte[HEADERS + SEGMENT];
  private final SplittableRandom random = new SplittableRandom(2);
  private final CaptureWriter writer;
  private long time = 1_767_225_600_000_000_000L;

  /** One conversation under way. */
  private static final class Conversation {
    int client;
    int clientPort;
    int front;
    int server;
    int serverPort;
    int clientSequence;
    int serverSequence;
    int step;
  }

  private ConversationCapture(CaptureWriter writer) {
    this.writer = writer;
  }

  /** Arguments: FILE and, optionally, the number of conversations (20000). */
  public static void main(String[] arguments) {
    if (arguments.length < 1 || arguments.length > 2) {
      System.err.println("usage: ConversationCapture FILE [CONVERSATIONS]");
      System.exit(2);
    }
    int conversations = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20_000;
    write(Path.of(arguments[0]), conversations);
  }

  /** Writes {@code conversations} of {@value #FRAMES} frames each. */
  public static void write(Path file, int conversations) {
    try (CaptureWriter writer = CaptureWriter.pcap(file, LinkType.ETHERNET)) {
      new ConversationCapture(writer).run(conversations);
    }
  }

  private void run(int conversations) {
    Conversation[] running = new Conversation[Math.min(CONCURRENT, conversations)];
    int begun = 0;
    int left = running.length;
    for (int i = 0; i < running.length; i++) {
      running[i] = begin(begun++);
    }
    while (left > 0) {
      int at = random.nextInt(left);
      // A few frames of the same conversation come together, as they do on a wire.
      int together = 1 + random.nextInt(4);
      Conversation one = running[at];
      while (together-- > 0 && one.step < FRAMES) {
        step(one);
        time += 2_000 + random.nextInt(30_000);
      }
      if (one.step == FRAMES) {
        if (begun < conversations) {
          running[at] = begin(begun++);
        } else {
          running[at] = running[--left];
        }
      }
    }
  }

  private Conversation begin(int number) {
    Conversation one = new Conversation();
    one.client = 0x2D00_0000 + random.nextInt(1 << 20);
    one.clientPort = 1024 + number % 60_000;
    int kind = random.nextInt(SERVERS.length);
    one.server = 0xC0A8_0700 | SERVERS[kind];
    one.serverPort = PORTS[kind];
    one.front = random.nextBoolean() ? ROUTER : one.server;
    one.clientSequence = random.nextInt();
    one.serverSequence = random.nextInt();
    return one;
  }

  private void step(Conversation one) {
    int step = one.step++;
    if (step == 0) {
      client(one, SYN, 0);
      one.clientSequence++;
    } else if (step == 1) {
      server(one, SYN | ACK, 0);
      one.serverSequence++;
    } else if (step == 3) {
      client(one, PSH | ACK, REQUEST);
    } else if (step == 4) {
      server(one, ACK, 0);
    } else if (step >= 5 && step < 45 && step % 2 == 1) {
      server(one, PSH | ACK, SEGMENT);
    } else if (step == 46) {
      server(one, FIN | ACK, 0);
      one.serverSequence++;
    } else if (step == 48) {
      client(one, FIN | ACK, 0);
      one.clientSequence++;
    } else if (step == 49) {
      server(one, ACK, 0);
    } else {
      client(one, ACK, 0);
    }
  }

  private void client(Conversation one, int flags, int payload) {
    mac(0, ROUTER_OUTSIDE);
    mac(6, GATEWAY);
    ip(one.client, one.front, payload);
    tcp(one.clientPort, one.serverPort, one.clientSequence, one.serverSequence, flags, payload);
    one.clientSequence += payload;
  }

  private void server(Conversation one, int flags, int payload) {
    mac(0, ROUTER_INSIDE);
    mac(6, SERVER);
    ip(one.server, one.client, payload);
    tcp(one.serverPort, one.clientPort, one.serverSequence, one.clientSequence, flags, payload);
    one.serverSequence += payload;
  }

  private void ip(int from, int to, int payload) {
    put16(12, 0x0800);
    frame[14] = 0x45;
    frame[15] = 0;
    put16(16, HEADERS - 14 + payload);
    put16(18, (int) (writer.frames() & 0xFFFF));
    put16(20, 0x4000);
    frame[22] = 57;
    frame[23] = 6;
    put16(24, 0);
    put32(26, from);
    put32(30, to);
    put16(24, Checksum.of(frame, 14, 20));
  }

  private void tcp(int from, int to, int sequence, int acknowledged, int flags, int payload) {
    put16(TCP, from);
    put16(TCP + 2, to);
    put32(TCP + 4, sequence);
    put32(TCP + 8, (flags & ACK) == 0 ? 0 : acknowledged);
    boolean syn = (flags & SYN) != 0;
    frame[TCP + 12] = (byte) (20 + OPTIONS << 2);
    frame[TCP + 13] = (byte) flags;
    put16(TCP + 14, syn ? 64_240 : 502);
    put16(TCP + 16, 0);
    put16(TCP + 18, 0);
    if (syn) {
      // MSS 1460, SACK permitted, window scale 7, one byte of padding.
      put32(TCP + 20, 0x0204_05B4);
      put32(TCP + 24, 0x0402_0303);
      put32(TCP + 28, 0x0701_0101);
    } else {
      put32(TCP + 20, 0x0101_080A);
      put32(TCP + 24, (int) (time / 1_000_000));
      put32(TCP + 28, (int) (time / 1_000_000) - 5);
    }
    for (int i = 0; i < payload; i++) {
      frame[HEADERS + i] = (byte) ('a' + (sequence + i) % 26);
    }
    int length = 20 + OPTIONS + payload;
    int source = get32(26);
    int destination = get32(30);
    long pseudo = Checksum.pseudoHeader(source, destination, 6, length);
    put16(TCP + 16, Checksum.fold(Checksum.partial(frame, TCP, length, pseudo)));
    int bytes = HEADERS + payload;
    writer.write(0, time, frame, 0, bytes, bytes, CaptureReader.DIRECTION_UNKNOWN, null);
  }

  private void mac(int at, long address) {
    put16(at, (int) (address >>> 32));
    put32(at + 2, (int) address);
  }

  private void put16(int at, int value) {
    frame[at] = (byte) (value >> 8);
    frame[at + 1] = (byte) value;
  }

  private void put32(int at, int value) {
    put16(at, value >>> 16);
    put16(at + 2, value);
  }

  private int get32(int at) {
    return (frame[at] & 0xFF) << 24
        | (frame[at + 1] & 0xFF) << 16
        | (frame[at + 2] & 0xFF) << 8
        | frame[at + 3] & 0xFF;
  }
}
