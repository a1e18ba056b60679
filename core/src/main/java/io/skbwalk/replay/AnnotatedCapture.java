// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes the captures of a replay once more, as one pcapng in the order of the replay: every frame
 * as it was captured (bytes, lengths, time, direction, interface, link type, snapshot length,
 * comments), with one comment more on what became of it.
 *
 * <p>A frame waits here until its fate is known, with at most {@value #MOST_BYTES} bytes of others:
 * beyond that the oldest is written as one that waits in the machine.
 */
public final class AnnotatedCapture implements Replay.Sink, Replay.Captured, AutoCloseable {
  private static final int MOST_BYTES = 32 << 20;

  /** What a waiting frame costs besides its bytes. */
  private static final int OVERHEAD = 128;

  /** Characters of comments that are kept of a frame; nobody has read more. */
  private static final int MOST_TEXT = 1 << 17;

  private static final class Waiting {
    long number;
    int on;
    long time;
    byte[] bytes;
    int originalLength;
    int direction;
    int fcsLength;
    List<String> comments;
    String told;
  }

  private final CaptureWriter writer;
  private final List<String> devices;
  private final Map<Integer, List<Integer>> interfaces = new HashMap<>();
  private final PacketComment comment = new PacketComment();
  private final Deque<Waiting> waiting = new ArrayDeque<>();
  private long bytesWaiting;

  private AnnotatedCapture(CaptureWriter writer, Replay replay, List<String> devices) {
    this.writer = writer;
    this.devices = devices;
    replay.keepFrames();
    replay.keepDepartures();
    replay.setCaptured(this);
    replay.add(this);
  }

  /**
   * Writes what {@code replay} will read into {@code file}.
   *
   * @param devices the interface on which each capture arrives, or null: what an interface is
   *     called that has no name in the capture
   */
  public static AnnotatedCapture to(Path file, Replay replay, List<String> devices) {
    return new AnnotatedCapture(CaptureWriter.pcapng(file), replay, devices);
  }

  /** Writes it into a channel (standard output), which this then owns. */
  public static AnnotatedCapture to(
      WritableByteChannel channel, Replay replay, List<String> devices) {
    return new AnnotatedCapture(CaptureWriter.pcapng("standard output", channel), replay, devices);
  }

  @Override
  public void read(long number, int capture, CaptureReader reader) {
    Waiting frame = new Waiting();
    frame.number = number;
    frame.on = interfaceOf(capture, reader);
    frame.time = Math.max(0, reader.timestampNanos());
    frame.bytes = new byte[reader.capturedLength()];
    reader.copyTo(frame.bytes, 0, frame.bytes.length);
    frame.originalLength = reader.originalLength();
    frame.direction = reader.direction();
    frame.fcsLength = reader.fcsLength();
    frame.comments = reader.comments();
    waiting.add(frame);
    bytesWaiting += frame.bytes.length + OVERHEAD;
    while (bytesWaiting > MOST_BYTES && waiting.size() > 1) {
      write(waiting.poll(), PacketComment.WAITS);
    }
  }

  /**
   * The interface's index in the file. Of a single capture all keep theirs, since those without
   * frames are described, too.
   */
  private int interfaceOf(int capture, CaptureReader reader) {
    List<Integer> known = interfaces.computeIfAbsent(capture, key -> new ArrayList<>());
    String device = devices.get(capture);
    while (known.size() <= reader.interfaceIndex()) {
      known.add(writer.addInterface(reader, known.size(), device == null ? "" : device));
    }
    return known.get(reader.interfaceIndex());
  }

  @Override
  public void passedOver(String why) {
    waiting.getLast().told = why;
    drain();
  }

  @Override
  public void frame(FrameRecord record) {
    Waiting first = waiting.peek();
    if (first != null && first.number == record.number) {
      first.told = comment.of(record).toString();
      drain();
    }
  }

  private void drain() {
    while (!waiting.isEmpty() && waiting.peek().told != null) {
      Waiting frame = waiting.poll();
      write(frame, frame.told);
    }
  }

  private void write(Waiting frame, String told) {
    bytesWaiting -= frame.bytes.length + OVERHEAD;
    List<String> comments = new ArrayList<>();
    int text = 0;
    for (String comment : frame.comments) {
      text += comment.length();
      if (text <= MOST_TEXT) {
        comments.add(comment);
      }
    }
    comments.add(told);
    writer.write(
        frame.on,
        frame.time,
        frame.bytes,
        frame.originalLength,
        frame.direction,
        frame.fcsLength,
        comments);
  }

  /** Ends the capture and gives its file its name. The replay must be finished. */
  public void complete() {
    for (Waiting frame : waiting) {
      write(frame, frame.told == null ? PacketComment.WAITS : frame.told);
    }
    waiting.clear();
    writer.close();
  }

  /** Deletes what was not completed. */
  @Override
  public void close() {
    writer.abort();
  }
}
