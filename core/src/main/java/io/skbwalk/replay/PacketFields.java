// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.netfilter.tables.RuleReference;
import java.nio.charset.StandardCharsets;

/** The fields of a frame's record in packets.jsonl; those that do not apply are absent. */
public final class PacketFields {
  private static final byte[] NUMBER = "{\"n\":".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] TIME = JsonText.next("time");
  private static final byte[] IN = JsonText.next("in");
  private static final byte[] LENGTH = JsonText.next("length");
  private static final byte[] REASON = JsonText.next("reason");
  private static final byte[] AT = JsonText.next("at");
  private static final byte[] CTSTATE = JsonText.next("ctstate");
  private static final byte[] CTDIR = JsonText.next("ctdir");
  private static final byte[] TABLE = JsonText.next("table");
  private static final byte[] CHAIN = JsonText.next("chain");
  private static final byte[] RULE = JsonText.next("rule");
  private static final byte[] TARGET = JsonText.next("target");
  private static final byte[] SOURCE = JsonText.next("source");
  private static final byte[] INTERFACE = "{\"interface\":".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] FRAME = JsonText.next("frame");

  private final Outcomes outcomes = new Outcomes();

  /** Begins an object with them; it stays open. */
  void begin(JsonText json, FrameRecord record) {
    json.element(NUMBER).value(record.number);
    json.plain(TIME).time(record.time);
    if (!record.device.isEmpty()) {
      json.plain(IN).word(record.device);
    }
    json.plain(LENGTH).value(record.length);
    Outcomes.Outcome outcome = outcomes.of(record);
    if (outcome.words == null) {
      int begin = json.length();
      outcome(json, record);
      outcome.words = json.since(begin);
    } else {
      json.plain(outcome.words);
    }
    if (!record.outs.isEmpty()) {
      json.beginArray("out");
      for (int i = 0; i < record.outs.size(); i++) {
        FrameRecord.Out out = record.outs.get(i);
        json.element(INTERFACE).word(out.device()).plain(FRAME).value(out.index()).endObject();
      }
      json.endArray();
    }
  }

  /** Those that tell what became of it, and which many packets have in common. */
  public static void outcome(JsonText json, FrameRecord record) {
    json.field("fate", record.fate.label);
    if (record.fate == Fate.DROPPED) {
      json.plain(REASON).word(record.reason.name());
      json.plain(AT).word(record.at);
    }
    if (record.state != null) {
      json.plain(CTSTATE).word(record.state);
      if (!record.state.equals("INVALID") && !record.state.equals("UNTRACKED")) {
        json.plain(CTDIR).word(record.reply ? "REPLY" : "ORIGINAL");
      }
    }
    if (!record.rules.isEmpty()) {
      json.beginArray("rules");
      for (RuleReference rule : record.rules) {
        json.addWord(rule.label());
      }
      json.endArray();
    }
    if (record.verdict != null) {
      RuleReference verdict = record.verdict;
      json.beginObject("verdict");
      json.field("hook", record.hook.name());
      json.plain(TABLE).word(verdict.table().label);
      json.plain(CHAIN).word(verdict.chain());
      if (verdict.number() != 0) {
        json.plain(RULE).value(verdict.number());
      }
      json.plain(TARGET).word(verdict.target());
      if (!verdict.source().isEmpty()) {
        json.plain(SOURCE).word(verdict.source());
      }
      json.endObject();
    }
  }
}
