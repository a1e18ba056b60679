// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.replay.WalkText;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

/** The outcomes as one JSON object; docs/test.schema.json is its schema. */
public final class ExperimentsJson {
  private static final int WIDTH = 100;

  private ExperimentsJson() {}

  /** The whole text. */
  public static String of(List<Outcome> outcomes, RuleCoverage coverage) {
    StringWriter out = new StringWriter();
    DefaultPrettyPrinter printer =
        new DefaultPrettyPrinter()
            .withObjectIndenter(new com.fasterxml.jackson.core.util.DefaultIndenter("  ", "\n"));
    try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
      json.setPrettyPrinter(printer);
      json.writeStartObject();
      json.writeNumberField("experiments", outcomes.size());
      json.writeNumberField("failed", outcomes.stream().filter(one -> !one.holds()).count());
      json.writeArrayFieldStart("outcomes");
      for (Outcome outcome : outcomes) {
        outcome(json, outcome);
      }
      json.writeEndArray();
      json.writeObjectFieldStart("coverage");
      json.writeNumberField("rules", coverage.size());
      json.writeArrayFieldStart("missed");
      for (RuleCoverage.Covered rule : coverage.missed()) {
        json.writeStartObject();
        json.writeStringField("rule", rule.label());
        json.writeStringField("text", rule.text());
        json.writeStringField("source", rule.at().fileAndLine());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.append('\n').toString();
  }

  private static void outcome(JsonGenerator json, Outcome outcome) throws IOException {
    json.writeStartObject();
    json.writeStringField("name", outcome.name());
    json.writeStringField("file", outcome.file());
    place(json, outcome.at());
    json.writeBooleanField("holds", outcome.holds());
    json.writeNumberField("packets", outcome.packets());
    json.writeNumberField("expectations", outcome.expectations());
    if (!outcome.holds()) {
      json.writeArrayFieldStart("failures");
      for (Failure failure : outcome.failures()) {
        failure(json, failure);
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private static void failure(JsonGenerator json, Failure failure) throws IOException {
    json.writeStartObject();
    json.writeStringField("of", failure.subject());
    json.writeArrayFieldStart("mismatches");
    for (Failure.Mismatch one : failure.mismatches()) {
      json.writeStartObject();
      json.writeStringField("key", one.key());
      json.writeStringField("expected", one.expected());
      json.writeStringField("got", one.got());
      json.writeStringField("file", one.at().file());
      place(json, one.at());
      json.writeEndObject();
    }
    json.writeEndArray();
    String walk = failure.walkText(new WalkText(WIDTH, false, null));
    if (!walk.isEmpty()) {
      json.writeArrayFieldStart("walk");
      for (String line : walk.lines().toList()) {
        json.writeString(line);
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private static void place(JsonGenerator json, SourcePosition at) throws IOException {
    json.writeNumberField("line", at.line());
    json.writeNumberField("column", at.column());
  }
}
