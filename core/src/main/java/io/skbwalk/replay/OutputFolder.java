// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.capture.CaptureReader;
import io.skbwalk.capture.CaptureWriter;
import io.skbwalk.capture.LinkType;
import io.skbwalk.capture.WriteBehind;
import io.skbwalk.device.NetDevice;
import io.skbwalk.host.Host;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.skb.SkBuff;
import java.io.BufferedWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The files that a replay leaves in a folder. Each is written beside its final name, as {@code
 * NAME.part}, and all get their names together in {@link #complete}; what is not completed is
 * deleted by {@link #close}. Files of an earlier replay are replaced, and with {@link Content#TX}
 * every other {@code tx-*.pcapng} is deleted; anything else in the folder stays.
 */
public final class OutputFolder implements AutoCloseable {
  /** What can be written, by the names that {@code --save} takes. */
  public enum Content {
    /** report.json. */
    REPORT,
    /** packets.jsonl. */
    PACKETS,
    /** counters.v4. */
    COUNTERS,
    /** conntrack.txt. */
    CONNTRACK,
    /** events.txt. */
    EVENTS,
    /** sockets.txt. */
    SOCKETS,
    /** tx-IFACE.pcapng. */
    TX,
    /** dropped.pcapng. */
    DROPPED;

    /** As {@code --save} takes it. */
    public final String label = name().toLowerCase(Locale.ROOT);
  }

  private final Path folder;
  private final Set<Content> contents;
  private final Map<String, Closeable> texts = new LinkedHashMap<>();
  private final List<CaptureWriter> captures = new ArrayList<>();
  private final Map<String, CaptureWriter> byDevice = new HashMap<>();
  private final boolean made;
  private final List<RecordBatches> batches = new ArrayList<>();
  private final PacketComment leaving = new PacketComment();
  private PacketLines packets;
  private EventLines events;
  private boolean complete;

  /**
   * Makes the folder when it is not there.
   *
   * @throws IOException when it cannot be made
   */
  public OutputFolder(Path folder, Set<Content> contents) throws IOException {
    this.folder = folder;
    this.contents = EnumSet.copyOf(contents);
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw new IOException(folder + ": is a file; --out wants a folder");
    }
    made = !Files.exists(folder);
    Files.createDirectories(folder);
  }

  /**
   * Lets everything that is wanted of {@code replay} on {@code host} be written.
   *
   * @param behind writes it; to be finished or closed before {@link #complete} or {@link #close}
   */
  public void listen(Host host, Replay replay, WriteBehind behind) throws IOException {
    try {
      if (has(Content.PACKETS)) {
        packets = new PacketLines(stream("packets.jsonl"));
        add(replay, packets, behind);
      }
      if (has(Content.DROPPED)) {
        droppedFrames(host, replay, behind);
      }
      if (has(Content.EVENTS)) {
        events = new EventLines(stream("events.txt"), behind);
        host.conntrack().setEventListener(events);
      }
      if (has(Content.TX)) {
        for (NetDevice dev : host.devices()) {
          if (!dev.isLoopback() && dev.lower == null) {
            CaptureWriter writer =
                CaptureWriter.pcapng(folder.resolve("tx-" + dev.name + ".pcapng"));
            captures.add(writer.through(behind));
            writer.addInterface(dev.name, LinkType.ETHERNET);
            byDevice.put(dev.name, writer);
          }
        }
        replay.keepFrames();
        replay.setDepartures(this::left);
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private void add(Replay replay, Replay.Sink sink, WriteBehind behind) {
    RecordBatches some = new RecordBatches(sink, behind);
    batches.add(some);
    replay.add(some);
  }

  private long left(NetDevice dev, SkBuff skb, long time, FrameRecord cause, boolean forwarded) {
    CaptureWriter writer = byDevice.get(dev.name);
    int length = skb.tail - skb.data;
    writer.write(
        0,
        Math.max(0, time),
        skb.head,
        skb.data,
        length,
        length,
        CaptureReader.OUTBOUND,
        leaving.leaving(skb.frame, cause, forwarded, skb.head, skb.data, skb.tail));
    return writer.frames();
  }

  private void droppedFrames(Host host, Replay replay, WriteBehind behind) {
    CaptureWriter writer = CaptureWriter.pcapng(folder.resolve("dropped.pcapng"));
    captures.add(writer);
    Map<String, Integer> interfaces = new HashMap<>();
    for (NetDevice dev : host.devices()) {
      if (!dev.isLoopback() && dev.lower == null) {
        interfaces.put(dev.name, writer.addInterface(dev.name, LinkType.ETHERNET));
      }
    }
    PacketComment comment = new PacketComment();
    replay.keepFrames();
    add(
        replay,
        record -> {
          if (record.fate == Fate.DROPPED) {
            writer.write(
                interfaces.getOrDefault(record.device, 0),
                Math.max(0, record.time),
                record.frame,
                0,
                record.frame.length,
                Math.max(record.frame.length, record.length),
                record.sent ? CaptureReader.OUTBOUND : CaptureReader.INBOUND,
                comment.of(record));
          }
        },
        behind);
  }

  private boolean has(Content content) {
    return contents.contains(content);
  }

  private Writer text(String name) throws IOException {
    Writer writer =
        new BufferedWriter(
            Files.newBufferedWriter(part(folder.resolve(name)), StandardCharsets.UTF_8), 1 << 16);
    texts.put(name, writer);
    return writer;
  }

  private OutputStream stream(String name) throws IOException {
    OutputStream stream = Files.newOutputStream(part(folder.resolve(name)));
    texts.put(name, stream);
    return stream;
  }

  private static Path part(Path file) {
    return file.resolveSibling(file.getFileName() + ".part");
  }

  /** Writes what is known at the end only, and gives every file its name. */
  public void complete(Host host, ReplayReport report) throws IOException {
    if (has(Content.REPORT)) {
      text("report.json").write(report.json());
    }
    if (has(Content.COUNTERS)) {
      RuleSet counters = host.tables() == null ? RuleSet.EMPTY : host.tables().counters();
      text("counters.v4").write(IptablesSavePrinter.print(counters, true));
    }
    if (has(Content.CONNTRACK)) {
      Writer writer = text("conntrack.txt");
      Conntrack conntrack = host.conntrack();
      for (int ct = conntrack.first(); ct != 0; ct = conntrack.next(ct)) {
        writer.write(ConntrackPrinter.list(conntrack, ct));
        writer.write('\n');
      }
    }
    if (has(Content.SOCKETS)) {
      text("sockets.txt").write(host.sockets().print());
    }
    batches.forEach(RecordBatches::flush);
    if (packets != null) {
      packets.flush();
    }
    if (events != null) {
      events.flush();
    }
    for (Closeable text : texts.values()) {
      text.close();
    }
    for (CaptureWriter writer : captures) {
      writer.close();
    }
    for (String name : texts.keySet()) {
      Path file = folder.resolve(name);
      Files.move(part(file), file, StandardCopyOption.REPLACE_EXISTING);
    }
    if (has(Content.TX)) {
      dropOldDepartures();
    }
    complete = true;
  }

  /** An earlier replay may have had other interfaces; nobody shall take its frames for ours. */
  private void dropOldDepartures() throws IOException {
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "tx-*.pcapng")) {
      for (Path file : found) {
        String name = file.getFileName().toString();
        if (!byDevice.containsKey(name.substring(3, name.length() - 7))) {
          Files.delete(file);
        }
      }
    }
  }

  /** Deletes what was not completed. */
  @Override
  public void close() throws IOException {
    if (complete) {
      return;
    }
    for (Map.Entry<String, Closeable> text : texts.entrySet()) {
      try {
        text.getValue().close();
      } catch (IOException e) {
        // The disk is full, perhaps; the file goes anyway.
      }
      Files.deleteIfExists(part(folder.resolve(text.getKey())));
    }
    captures.forEach(CaptureWriter::abort);
    if (made) {
      try (var left = Files.list(folder)) {
        if (left.findAny().isEmpty()) {
          Files.delete(folder);
        }
      }
    }
  }
}
