// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench;

import static io.skbwalk.bench.SegmentWriter.ACK;
import static io.skbwalk.bench.SegmentWriter.FIN;
import static io.skbwalk.bench.SegmentWriter.PSH;
import static io.skbwalk.bench.SegmentWriter.SYN;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.nio.channels.FileChannel;
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
  private static final int ROUTER = 0xCB00_7101;
  private static final int[] SERVERS = {80, 80, 80, 81, 25, 53};
  private static final int[] PORTS = {80, 443, 443, 8080, 25, 53};

  private final SegmentWriter segment = new SegmentWriter();
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

  /**
   * Arguments: FILE, or - for standard output, and, optionally, the number of conversations
   * (20000).
   */
  public static void main(String[] arguments) {
    if (arguments.length < 1 || arguments.length > 2) {
      System.err.println("usage: ConversationCapture FILE [CONVERSATIONS]");
      System.exit(2);
    }
    int conversations = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20_000;
    if (arguments[0].equals("-")) {
      FileChannel output = new FileOutputStream(FileDescriptor.out).getChannel();
      try (CaptureWriter writer = CaptureWriter.pcap("-", output, LinkType.ETHERNET)) {
        new ConversationCapture(writer).run(conversations);
      }
    } else {
      write(Path.of(arguments[0]), conversations);
    }
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
    segment.arrives(true);
    segment.ip(one.client, one.front, (int) writer.frames(), payload);
    write(
        segment.tcp(
            one.clientPort,
            one.serverPort,
            one.clientSequence,
            one.serverSequence,
            flags,
            time,
            payload));
    one.clientSequence += payload;
  }

  private void server(Conversation one, int flags, int payload) {
    segment.arrives(false);
    segment.ip(one.server, one.client, (int) writer.frames(), payload);
    write(
        segment.tcp(
            one.serverPort,
            one.clientPort,
            one.serverSequence,
            one.clientSequence,
            flags,
            time,
            payload));
    one.serverSequence += payload;
  }

  private void write(int bytes) {
    writer.write(0, time, segment.frame, 0, bytes, bytes, CaptureReader.DIRECTION_UNKNOWN, null);
  }
}
