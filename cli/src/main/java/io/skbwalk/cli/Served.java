// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayReport;
import io.skbwalk.replay.WalkLines;
import java.io.IOException;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a served page asks for: the packets of the command line's capture under its rules, as they
 * are being edited. Each answer is a replay of its own, from the first frame to the last that is
 * asked for: nobody listens to the others, so that they cost a microsecond or two.
 */
final class Served {
  /** Where rules are typed when no file of them was named. */
  private static final String TYPED_RULES = "rules.v4";

  private final MachineOptions options;
  private final String filter;

  /** The rules of each file as they are edited. */
  private Map<String, String> texts = new HashMap<>();

  /** As they were read from their files. */
  private final Map<String, String> written;

  /** The answer for those as edited. */
  private String replayed;

  /** The answer for those as written. */
  private String replayedAsWritten;

  /** All packets that have come into an answer. */
  private PacketLooks looks;

  private boolean scenario;

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
    written = texts;
  }

  private Session session(Map<String, String> rules) throws IOException {
    return new Session(options, rules::get);
  }

  /** What became of all packets, the report and the rules, in JSON. */
  String replay() throws IOException {
    if (replayed == null) {
      replayed = replay(texts);
      replayedAsWritten = replayed;
    }
    return replayed;
  }

  /** The same under the rules as their files have them. */
  String replayAsWritten() throws IOException {
    replay();
    return replayedAsWritten;
  }

  /** What all packets look like, in JSON; see {@link PacketLooks}. */
  byte[] packets() throws IOException {
    replay();
    return looks.json();
  }

  private String replay(Map<String, String> rules) throws IOException {
    PacketLooks seen = looks == null ? new PacketLooks() : null;
    boolean[] isNew = new boolean[1];
    String about;
    ReplayedPackets packets = new ReplayedPackets();
    try (Session session = session(rules)) {
      scenario = session.scenario() != null;
      Replay replay = session.prepareToTell(null);
      replay.add(packets);
      if (seen != null) {
        replay.keepFrames();
        replay.add(seen);
      } else {
        replay.add(record -> isNew[0] |= record.isChosen() && !looks.has(record.number));
      }
      session.run();
      replay.finish();
      about = PageContents.about(session, new ReplayReport(session.host, replay.totals));
    }
    if (seen != null) {
      seen.complete();
      looks = seen;
    } else if (isNew[0]) {
      // Under other rules the machine put these there itself, by forwarding.
      looks = null;
      return replay(rules);
    }
    return '{' + about + ',' + packets.json() + '}';
  }

  /**
   * The walks of some packets, each with the beginning of its frame.
   *
   * @param numbers as {@code --packet} has them
   */
  String walks(String numbers) throws IOException {
    StringWriter walk = new StringWriter();
    StringBuilder told = new StringBuilder();
    try (Session session = session(texts);
        WalkLines lines = WalkLines.to("-", walk, false)) {
      Choice choice = Choice.of(numbers, null, false);
      Replay replay = session.prepareToTell(choice.walks(true, false));
      replay.add(
          record -> {
            if (record.events != null) {
              lines.frame(record);
              told.append(told.length() == 0 ? "" : ",").append("{\"walk\":");
              told.append(walk.toString().strip()).append(",\"frame\":\"");
              told.append(PageContents.hex(record)).append("\"}");
              walk.getBuffer().setLength(0);
            }
            if (record.number >= choice.last()) {
              replay.stop();
            }
          });
      session.run();
      replay.finish();
    }
    return "{\"walks\":[" + told + "]}";
  }

  /**
   * The page of some packets as a file, under the rules as they are edited.
   *
   * @param numbers as {@code --packet} has them
   */
  String page(String numbers) throws IOException {
    Choice choice = Choice.of(numbers, null, false);
    try (Session session = session(texts)) {
      PageContents contents = new PageContents(false);
      Replay replay = session.prepareToTell(choice.walks(true, false));
      replay.add(
          record -> {
            if (record.events != null) {
              contents.frame(record);
            }
          });
      session.run();
      replay.finish();
      ReplayReport report = new ReplayReport(session.host, replay.totals);
      return Page.html("skbwalk: " + session.inputInWords(), contents.json(session, report), false);
    }
  }

  /** The numbers of the frames that a tcpdump expression takes. */
  String filter(String expression) throws IOException {
    StringBuilder numbers = new StringBuilder();
    try {
      options.filter = expression;
      try (Session session = session(texts)) {
        session.choose(number -> numbers.append(numbers.length() == 0 ? "" : ",").append(number));
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
    replay();
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(text)) {
      json.writeStartObject();
      json.writeBooleanField("served", true);
      json.writeBooleanField("scenario", scenario);
      json.writeBooleanField("edited", !texts.equals(written));
      json.writeArrayFieldStart("files");
      for (String file : options.rules) {
        json.writeStartObject();
        json.writeStringField("name", file);
        json.writeStringField("text", texts.get(file));
        json.writeStringField("written", written.get(file));
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    return text.toString();
  }
}
