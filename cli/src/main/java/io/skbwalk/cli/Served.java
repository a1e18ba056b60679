// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.PacketLines;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayReport;
import io.skbwalk.replay.WalkLines;
import io.skbwalk.skb.PacketSummary;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a served page asks for: the packets of the command line's capture under its rules, as they
 * are being edited. Each answer is a replay of its own, from the first frame on.
 */
final class Served {
  /** Where rules are typed when no file of them was named. */
  private static final String TYPED_RULES = "rules.v4";

  /** Frames whose list a browser still holds. */
  private static final int MOST = 500_000;

  private final MachineOptions options;
  private final String filter;

  /** The rules of each file as they are edited. */
  private Map<String, String> texts = new HashMap<>();

  /** The answer for those. */
  private String replayed;

  Served(MachineOptions options) throws IOException {
    this.options = options;
    filter = options.filter;
    boolean stream =
        "-".equals(options.capture)
            || options.rules.contains("-")
            || options.inputs.stream().anyMatch(input -> input.endsWith("=-"));
    if (stream) {
      throw new Unusable("- cannot be read again for each replay; serve needs files");
    }
    if (options.rules.isEmpty()) {
      options.rules = List.of(TYPED_RULES);
      texts.put(TYPED_RULES, "");
    }
    for (String file : options.rules) {
      if (!texts.containsKey(file)) {
        texts.put(file, TextFile.read(file));
      }
    }
  }

  private Session session(Map<String, String> rules) throws IOException {
    return new Session(options, rules::get);
  }

  /** All packets, the report and the rules, in JSON. */
  String replay() throws IOException {
    if (replayed == null) {
      replayed = replay(texts);
    }
    return replayed;
  }

  private String replay(Map<String, String> rules) throws IOException {
    StringWriter packets = new StringWriter();
    try (Session session = session(rules);
        JsonGenerator json = new JsonFactory().createGenerator(packets)) {
      Replay replay = session.prepareToTell(null);
      replay.keepFrames();
      json.writeStartArray();
      replay.add(record -> packet(json, record));
      session.run();
      replay.finish();
      json.writeEndArray();
      json.flush();
      String about = PageContents.about(session, new ReplayReport(session.host, replay.totals));
      return '{' + about + ",\"packets\":" + packets + '}';
    }
  }

  private static void packet(JsonGenerator json, FrameRecord record) {
    if (!record.isChosen()) {
      return;
    }
    if (record.number > MOST) {
      throw new Unusable("serve: more than " + MOST + " frames are too many for one page");
    }
    try {
      json.writeStartObject();
      PacketLines.write(json, record);
      json.writeStringField("summary", PacketSummary.ofFrame(record.frame, 0, record.frame.length));
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The walk of one packet, with the beginning of its frame; null when there is none. */
  String walk(long number) throws IOException {
    StringWriter walk = new StringWriter();
    String[] frame = new String[1];
    try (Session session = session(texts);
        WalkLines lines = WalkLines.to("-", walk, false)) {
      Choice choice = Choice.of(Long.toString(number), null, false);
      Replay replay = session.prepareToTell(choice.walks(true, false));
      replay.keepDepartures();
      replay.add(
          record -> {
            if (record.events != null) {
              lines.frame(record);
              frame[0] = PageContents.hex(record);
            }
          });
      session.run();
      replay.finish();
    }
    return frame[0] == null
        ? null
        : "{\"walk\":" + walk.toString().strip() + ",\"frame\":\"" + frame[0] + "\"}";
  }

  /** The numbers of the packets that a tcpdump expression takes. */
  String filter(String expression) throws IOException {
    StringBuilder numbers = new StringBuilder();
    try {
      options.filter = expression;
      try (Session session = session(texts)) {
        Replay replay = session.prepareToTell(null);
        replay.add(
            record -> {
              if (record.isChosen()) {
                numbers.append(numbers.length() == 0 ? "" : ",").append(record.number);
              }
            });
        session.run();
        replay.finish();
      }
    } finally {
      options.filter = filter;
    }
    return "{\"numbers\":[" + numbers + "]}";
  }

  /**
   * Replays everything with other rules in {@code file}; when they are wrong, those before stay.
   *
   * @return null when no such file was named
   */
  String edit(String file, String text) throws IOException {
    if (!texts.containsKey(file)) {
      return null;
    }
    Map<String, String> edited = new HashMap<>(texts);
    edited.put(file, text);
    replayed = replay(edited);
    texts = edited;
    return replayed;
  }

  /** What the page begins with: the rule files. */
  String contents() throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      json.writeBooleanField("served", true);
      json.writeArrayFieldStart("files");
      for (String file : options.rules) {
        json.writeStartObject();
        json.writeStringField("name", file);
        json.writeStringField("text", texts.get(file));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.toString();
  }
}
