// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.lib.TextBytes;
import io.skbwalk.trace.TraceEvent;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Writes walks as JSON, one object a packet and line: the fields of packets.jsonl, then {@code
 * steps}, each with its {@code type} (a {@link TraceEvent} by its name), {@code connection}, {@code
 * result} and {@code changed}. docs/walk.schema.json is its schema.
 */
public final class WalkLines implements Replay.Sink, AutoCloseable {
  /** How much is handed to the file at once, bytes. */
  private static final int BLOCK = 1 << 18;

  private static final byte[] RESULT = JsonText.next("result");

  private final Path file;
  private final Path part;
  private final OutputStream stream;
  private final Writer text;
  private final boolean tracedOnly;
  private final JsonText json = new JsonText();
  private final PacketFields fields = new PacketFields();
  private final WalkSteps steps = new WalkSteps(json);
  private final TextBytes result = new TextBytes(200);
  private boolean complete;
  private String only;

  private WalkLines(Path file, Path part, OutputStream stream, Writer text, boolean tracedOnly) {
    this.file = file;
    this.part = part;
    this.stream = stream;
    this.text = text;
    this.tracedOnly = tracedOnly;
  }

  /**
   * Lines into a file, or into {@code stdout} for {@code -}.
   *
   * @param tracedOnly of packets that a TRACE target chose only
   */
  public static WalkLines to(String name, Writer stdout, boolean tracedOnly) throws IOException {
    if (name.equals("-")) {
      return new WalkLines(null, null, null, stdout, tracedOnly);
    }
    Path file = Path.of(name);
    if (Files.isDirectory(file)) {
      throw new IOException(name + ": is a folder; a file is wanted");
    }
    Path part = file.resolveSibling(file.getFileName() + ".part");
    return new WalkLines(file, part, Files.newOutputStream(part), null, tracedOnly);
  }

  @Override
  public void frame(FrameRecord record) {
    if (record.events == null || tracedOnly && !record.traced) {
      return;
    }
    fields.begin(json, record);
    json.beginArray("steps");
    String hook = null;
    String table = null;
    for (TraceEvent event : record.events) {
      hook = event instanceof TraceEvent.HookEnter enter ? enter.hook() : hook;
      table = event instanceof TraceEvent.TableEnter enter ? enter.table() : table;
      if (only == null
          || only.equalsIgnoreCase(hook)
          || only.equalsIgnoreCase(table)
          || isCalled(event, only)) {
        steps.write(event);
      }
      hook = event instanceof TraceEvent.HookLeave ? null : hook;
      table = event instanceof TraceEvent.TableLeave ? null : table;
    }
    json.endArray();
    if (record.connection != null) {
      json.field("connection", record.connection);
    }
    WalkResult.text(result.clear(), record);
    json.plain(RESULT).value(result);
    json.beginArray("changed");
    for (WalkResult.Change change : WalkResult.changes(record)) {
      json.beginObject().field("field", change.field());
      json.field("before", change.before()).field("after", change.after()).endObject();
    }
    json.endArray().endObject().endLine();
    try {
      if (text != null) {
        json.moveTo(text);
      } else if (json.length() >= BLOCK) {
        json.moveTo(stream);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Restricts walks to a hook, a table or a stage; null for all. */
  public WalkLines only(String name) {
    only = name;
    return this;
  }

  private static boolean isCalled(TraceEvent event, String name) {
    String called = event.getClass().getSimpleName();
    if (event instanceof TraceEvent.Step step) {
      called = step.function();
    } else if (event instanceof TraceEvent.Route route) {
      called = route.function();
    } else if (event instanceof TraceEvent.Socket socket) {
      called = socket.function();
    } else if (event instanceof TraceEvent.HookStep step) {
      called = step.name();
    }
    return name.equalsIgnoreCase(called);
  }

  /** Gives the file its name. */
  public void complete() throws IOException {
    if (text != null) {
      text.flush();
    } else {
      json.moveTo(stream);
      stream.close();
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }
    complete = true;
  }

  /** Deletes what was not completed. */
  @Override
  public void close() throws IOException {
    if (!complete && stream != null) {
      stream.close();
      Files.deleteIfExists(part);
    }
  }
}
