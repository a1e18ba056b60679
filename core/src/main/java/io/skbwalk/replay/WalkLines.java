// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.trace.TraceEvent;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Writes walks as JSON, one object a packet and line: the fields of packets.jsonl, then {@code
 * steps}, each with its {@code type} (a {@link TraceEvent} by its name), {@code connection}, {@code
 * result} and {@code changed}. docs/walk.schema.json is its schema.
 */
public final class WalkLines implements Replay.Sink, AutoCloseable {
  private final Path file;
  private final Path part;
  private final Writer out;
  private final boolean tracedOnly;
  private final JsonGenerator json;
  private boolean complete;
  private String only;

  private WalkLines(Path file, Path part, Writer out, boolean tracedOnly) throws IOException {
    this.file = file;
    this.part = part;
    this.out = out;
    this.tracedOnly = tracedOnly;
    json = new JsonFactory().createGenerator(out);
    json.setRootValueSeparator(null);
    json.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
  }

  /**
   * Lines into a file, or into {@code stdout} for {@code -}.
   *
   * @param tracedOnly of packets that a TRACE target chose only
   */
  public static WalkLines to(String name, Writer stdout, boolean tracedOnly) throws IOException {
    if (name.equals("-")) {
      return new WalkLines(null, null, stdout, tracedOnly);
    }
    Path file = Path.of(name);
    if (Files.isDirectory(file)) {
      throw new IOException(name + ": is a folder; a file is wanted");
    }
    Path part = file.resolveSibling(file.getFileName() + ".part");
    return new WalkLines(
        file,
        part,
        new BufferedWriter(Files.newBufferedWriter(part, StandardCharsets.UTF_8), 1 << 16),
        tracedOnly);
  }

  @Override
  public void frame(FrameRecord record) {
    if (record.events == null || tracedOnly && !record.traced) {
      return;
    }
    try {
      json.writeStartObject();
      PacketLines.fields(json, record);
      json.writeArrayFieldStart("steps");
      String hook = null;
      String table = null;
      for (TraceEvent event : record.events) {
        hook = event instanceof TraceEvent.HookEnter enter ? enter.hook() : hook;
        table = event instanceof TraceEvent.TableEnter enter ? enter.table() : table;
        if (only == null
            || only.equalsIgnoreCase(hook)
            || only.equalsIgnoreCase(table)
            || isCalled(event, only)) {
          step(event);
        }
        hook = event instanceof TraceEvent.HookLeave ? null : hook;
        table = event instanceof TraceEvent.TableLeave ? null : table;
      }
      json.writeEndArray();
      if (record.connection != null) {
        json.writeStringField("connection", record.connection);
      }
      json.writeStringField("result", WalkResult.text(record));
      json.writeArrayFieldStart("changed");
      for (WalkResult.Change change : WalkResult.changes(record)) {
        json.writeStartObject();
        json.writeStringField("field", change.field());
        json.writeStringField("before", change.before());
        json.writeStringField("after", change.after());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
      json.flush();
      out.write('\n');
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

  private void step(TraceEvent event) throws IOException {
    String name = event.getClass().getSimpleName();
    json.writeStartObject();
    json.writeStringField("type", Character.toLowerCase(name.charAt(0)) + name.substring(1));
    try {
      for (RecordComponent component : event.getClass().getRecordComponents()) {
        Object value = component.getAccessor().invoke(event);
        String field = component.getName();
        if (value instanceof Boolean bool) {
          json.writeBooleanField(field, bool);
        } else if (value instanceof Number number) {
          if (field.equals("time")) {
            json.writeStringField(field, PacketLines.time(number.longValue()));
          } else {
            json.writeNumberField(field, number.longValue());
          }
        } else {
          json.writeStringField(field, String.valueOf(value));
        }
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
    json.writeEndObject();
  }

  /** Gives the file its name. */
  public void complete() throws IOException {
    out.flush();
    if (file != null) {
      out.close();
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    }
    complete = true;
  }

  /** Deletes what was not completed. */
  @Override
  public void close() throws IOException {
    if (!complete && file != null) {
      out.close();
      Files.deleteIfExists(part);
    }
  }
}
