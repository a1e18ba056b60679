// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayReport;
import io.skbwalk.replay.WalkLines;
import java.io.IOException;
import java.io.StringWriter;
import java.util.HexFormat;

/** What a page that is a file holds: the walks of the chosen packets, the report and the rules. */
final class PageContents implements Replay.Sink {
  /** Walks that a browser still opens with ease. */
  static final int MOST = 2000;

  /** Bytes of a frame that are shown: every header of the path, and a little. */
  private static final int FRAME = 128;

  private final StringWriter walks = new StringWriter();
  private final StringBuilder frames = new StringBuilder();
  private final WalkLines lines;
  private final boolean tracedOnly;
  private int count;

  PageContents(boolean tracedOnly) throws IOException {
    this.tracedOnly = tracedOnly;
    lines = WalkLines.to("-", walks, tracedOnly);
  }

  @Override
  public void frame(FrameRecord record) {
    if (tracedOnly && !record.isTraced()) {
      return;
    }
    if (++count > MOST) {
      throw new Unusable(
          "--format html: more than "
              + MOST
              + " packets are chosen, too many for one page; choose fewer with --packet, --flow or"
              + " --filter");
    }
    lines.frame(record);
    frames.append(count == 1 ? "" : ",").append('"').append(hex(record)).append('"');
  }

  /** The beginning of a frame, in hexadecimal. */
  static String hex(FrameRecord record) {
    return HexFormat.of().formatHex(record.frame, 0, Math.min(FRAME, record.frame.length));
  }

  /** The JSON that the page reads. */
  String json(Session session, ReplayReport report) throws IOException {
    String told = walks.toString().stripTrailing().replace("\n", ",\n");
    return '{' + about(session, report) + ",\"walks\":[" + told + "],\"frames\":[" + frames + "]}";
  }

  /** The fields about the replay as a whole, without braces. */
  static String about(Session session, ReplayReport report) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      json.writeStringField("input", session.inputInWords());
      json.writeStringField("machine", session.machineInWords());
      json.writeFieldName("report");
      json.writeRawValue(report.json().strip());
      json.writeArrayFieldStart("rules");
      for (ReplayReport.RuleCount rule : report.everyRule()) {
        json.writeStartObject();
        json.writeStringField("table", rule.table());
        json.writeStringField("chain", rule.chain());
        json.writeNumberField("number", rule.number());
        json.writeStringField("text", rule.text());
        json.writeStringField("source", rule.source());
        json.writeNumberField("packets", rule.packets());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    String object = text.toString();
    return object.substring(1, object.length() - 1);
  }
}
