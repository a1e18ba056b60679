// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.diff;

import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.netfilter.tables.RuleReference;
import io.skbwalk.replay.PacketEnd;
import io.skbwalk.replay.ReportJson;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;

/** A comparison as JSON; docs/diff.schema.json is its schema. */
public final class DiffReport {
  private final Comparison comparison;

  /** The report of a comparison whose replays have finished. */
  public DiffReport(Comparison comparison) {
    this.comparison = comparison;
  }

  /** The text, one object. */
  public String json() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = ReportJson.to(text)) {
      json.writeStartObject();
      json.writeNumberField("packets", comparison.frames());
      json.writeNumberField("bytes", comparison.bytes());
      json.writeObjectFieldStart("changed");
      json.writeNumberField("packets", comparison.changedPackets());
      json.writeNumberField("flows", comparison.changedFlows());
      json.writeNumberField("bytes", comparison.changedBytes());
      json.writeEndObject();
      json.writeArrayFieldStart("groups");
      for (ChangedGroup group : comparison.groups()) {
        write(json, group);
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.append('\n').toString();
  }

  private static void write(JsonGenerator json, ChangedGroup group) throws IOException {
    json.writeStartObject();
    json.writeStringField("change", group.change.label);
    json.writeStringField("text", group.text);
    json.writeNumberField("packets", group.packets());
    json.writeNumberField("flows", group.flows());
    json.writeNumberField("bytes", group.bytes());
    side(json, "old", group.oldOutcome, group.oldRule);
    side(json, "new", group.newOutcome, group.newRule);
    json.writeObjectFieldStart("example");
    json.writeNumberField("n", group.example);
    json.writeStringField("packet", group.packet);
    end(json, "old", group.oldExample);
    end(json, "new", group.newExample);
    json.writeEndObject();
    json.writeEndObject();
  }

  private static void side(JsonGenerator json, String name, Outcome outcome, Responsible rule)
      throws IOException {
    json.writeObjectFieldStart(name);
    json.writeStringField("fate", outcome.fate() == null ? "not-sent" : outcome.fate().label);
    if (outcome.reason() != null) {
      json.writeStringField("reason", outcome.reason().name());
      json.writeStringField("at", outcome.at());
    }
    if (outcome.rejected()) {
      json.writeBooleanField("rejected", true);
    }
    if (rule != null) {
      RuleReference reference = rule.rule();
      json.writeObjectFieldStart("rule");
      json.writeStringField("table", reference.table().label);
      json.writeStringField("chain", reference.chain());
      if (reference.number() != 0) {
        json.writeNumberField("rule", reference.number());
      }
      json.writeStringField("target", reference.target());
      json.writeStringField("text", rule.text());
      if (!rule.source().isEmpty()) {
        json.writeStringField("source", rule.source());
      }
      json.writeEndObject();
    }
    json.writeEndObject();
  }

  /** What was made of the example: who it says it is from and to, its marks, where it left. */
  private static void end(JsonGenerator json, String name, ChangedGroup.Example example)
      throws IOException {
    json.writeObjectFieldStart(name);
    PacketEnd end = example.end();
    if (end != null) {
      json.writeStringField("source", end.from());
      json.writeStringField("destination", end.to());
      json.writeNumberField("mark", Integer.toUnsignedLong(example.mark()));
      json.writeNumberField("ctmark", Integer.toUnsignedLong(example.connectionMark()));
      json.writeNumberField("tos", end.tos());
      json.writeNumberField("ttl", end.ttl());
    }
    if (!example.interfaces().isEmpty()) {
      json.writeStringField("out", example.interfaces());
    }
    json.writeEndObject();
  }
}
