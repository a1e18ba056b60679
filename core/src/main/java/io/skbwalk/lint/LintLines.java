// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.Writer;

/** Findings for programs: one JSON object a line (docs/lint.schema.json). */
public final class LintLines {
  private final Writer out;
  private final JsonGenerator json;

  /** Writes to {@code out}, which stays open. */
  public LintLines(Writer out) throws IOException {
    this.out = out;
    json = new JsonFactory().createGenerator(out);
    json.setRootValueSeparator(null);
  }

  /** One finding. */
  public void write(Finding finding) throws IOException {
    json.writeStartObject();
    json.writeStringField("kind", finding.kind().label);
    json.writeStringField("sentence", finding.sentence());
    json.writeFieldName("about");
    place(finding.about());
    json.writeArrayFieldStart("causes");
    for (Finding.Place cause : finding.causes()) {
      place(cause);
    }
    json.writeEndArray();
    if (finding.example() != null) {
      Finding.Example example = finding.example();
      json.writeObjectFieldStart("example");
      json.writeStringField("machine", example.machine());
      if (example.capture() != null) {
        json.writeStringField("capture", example.capture());
        json.writeNumberField("number", example.number());
      }
      json.writeArrayFieldStart("before");
      for (String packet : example.before()) {
        json.writeString(packet);
      }
      json.writeEndArray();
      json.writeStringField("packet", example.packet());
      json.writeStringField("outcome", example.outcome());
      json.writeEndObject();
    }
    json.writeEndObject();
    json.flush();
    out.write('\n');
  }

  private void place(Finding.Place place) throws IOException {
    json.writeStartObject();
    json.writeStringField("file", place.at().file());
    json.writeNumberField("line", place.at().line());
    json.writeStringField("table", place.table());
    json.writeStringField("chain", place.chain());
    if (place.number() != 0) {
      json.writeNumberField("number", place.number());
      json.writeStringField("rule", place.rule());
    }
    json.writeEndObject();
  }
}
