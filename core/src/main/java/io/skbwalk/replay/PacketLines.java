// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.netfilter.tables.RuleReference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.time.Instant;

/** Writes packets.jsonl: one object a frame; fields that do not apply are absent. */
public final class PacketLines {
  private final Writer out;
  private final JsonGenerator json;

  PacketLines(Writer out) throws IOException {
    this.out = out;
    json = new JsonFactory().createGenerator(out);
    json.setRootValueSeparator(null);
  }

  void write(FrameRecord record) {
    try {
      json.writeStartObject();
      fields(json, record);
      json.writeEndObject();
      json.flush();
      out.write('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The fields of a record, into an object that is open. */
  static void fields(JsonGenerator json, FrameRecord record) throws IOException {
    json.writeNumberField("n", record.number);
    json.writeStringField("time", time(record.time));
    if (!record.device.isEmpty()) {
      json.writeStringField("in", record.device);
    }
    json.writeNumberField("length", record.length);
    outcome(json, record);
    if (!record.outs.isEmpty()) {
      json.writeArrayFieldStart("out");
      for (FrameRecord.Out out : record.outs) {
        json.writeStartObject();
        json.writeStringField("interface", out.device());
        json.writeNumberField("frame", out.index());
        json.writeEndObject();
      }
      json.writeEndArray();
    }
  }

  /** Those that tell what became of it, and which many packets have in common. */
  public static void outcome(JsonGenerator json, FrameRecord record) throws IOException {
    json.writeStringField("fate", record.fate.label);
    if (record.fate == Fate.DROPPED) {
      json.writeStringField("reason", record.reason.name());
      json.writeStringField("at", record.at);
    }
    if (record.state != null) {
      json.writeStringField("ctstate", record.state);
      if (!record.state.equals("INVALID") && !record.state.equals("UNTRACKED")) {
        json.writeStringField("ctdir", record.reply ? "REPLY" : "ORIGINAL");
      }
    }
    if (!record.rules.isEmpty()) {
      json.writeArrayFieldStart("rules");
      for (RuleReference rule : record.rules) {
        json.writeString(rule.label());
      }
      json.writeEndArray();
    }
    if (record.verdict != null) {
      RuleReference verdict = record.verdict;
      json.writeObjectFieldStart("verdict");
      json.writeStringField("hook", record.hook.name());
      json.writeStringField("table", verdict.table().label);
      json.writeStringField("chain", verdict.chain());
      if (verdict.number() != 0) {
        json.writeNumberField("rule", verdict.number());
      }
      json.writeStringField("target", verdict.target());
      if (!verdict.source().isEmpty()) {
        json.writeStringField("source", verdict.source());
      }
      json.writeEndObject();
    }
  }

  /** Nanoseconds since the epoch as ISO 8601 in UTC with nine decimals. */
  static String time(long nanos) {
    Instant second = Instant.ofEpochSecond(Math.floorDiv(nanos, 1_000_000_000L));
    String text = second.toString();
    return text.substring(0, text.length() - 1)
        + String.format(".%09dZ", Math.floorMod(nanos, 1_000_000_000L));
  }
}
