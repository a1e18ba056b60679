// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.netfilter.tables.RuleReference;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** Writes packets.jsonl: one object a frame; fields that do not apply are absent. */
public final class PacketLines {
  /** How much is handed on at once, bytes. */
  private static final int BLOCK = 1 << 16;

  private static final int DAY = 86_400;
  private static final long SECOND = 1_000_000_000L;
  private static final long YEAR_2100 = 4_102_444_800L;

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

  private final OutputStream out;
  private final JsonText json = new JsonText();

  PacketLines(OutputStream out) {
    this.out = out;
  }

  void write(FrameRecord record) {
    json.beginObject();
    fields(json, record);
    json.endObject().endLine();
    if (json.length() >= BLOCK) {
      flush();
    }
  }

  /** Hands on what waits. */
  void flush() {
    try {
      json.moveTo(out);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The fields of a record, into an object that is open. */
  static void fields(JsonText json, FrameRecord record) {
    json.field("n", record.number);
    json.plain(TIME).value(time(record.time));
    if (!record.device.isEmpty()) {
      json.plain(IN).word(record.device);
    }
    json.plain(LENGTH).value(record.length);
    outcome(json, record);
    if (!record.outs.isEmpty()) {
      json.beginArray("out");
      for (FrameRecord.Out out : record.outs) {
        json.beginObject().field("interface", out.device()).field("frame", out.index()).endObject();
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

  /** Nanoseconds since the epoch as ISO 8601 in UTC with nine decimals. */
  static String time(long nanos) {
    long second = Math.floorDiv(nanos, SECOND);
    if (second < 0 || second >= YEAR_2100) {
      String text = Instant.ofEpochSecond(second).toString();
      return text.substring(0, text.length() - 1)
          + String.format(".%09dZ", Math.floorMod(nanos, SECOND));
    }
    byte[] text = new byte[30];
    int days = (int) (second / DAY);
    // Until 2100 every fourth year is a leap year; counted from 1968-03-01, they end with their
    // day.
    int since = days + 671;
    int year = (4 * since + 3) / 1461;
    int day = since - 1461 * year / 4;
    int month = (5 * day + 2) / 153;
    int ofDay = (int) (second % DAY);
    digits(text, 0, 4, 1968 + year + (month >= 10 ? 1 : 0), '-');
    digits(text, 5, 2, month + (month >= 10 ? -9 : 3), '-');
    digits(text, 8, 2, day - (153 * month + 2) / 5 + 1, 'T');
    digits(text, 11, 2, ofDay / 3600, ':');
    digits(text, 14, 2, ofDay / 60 % 60, ':');
    digits(text, 17, 2, ofDay % 60, '.');
    digits(text, 20, 9, (int) (nanos % SECOND), 'Z');
    return new String(text, StandardCharsets.ISO_8859_1);
  }

  private static void digits(byte[] text, int at, int count, int value, char behind) {
    int rest = value;
    for (int i = at + count - 1; i >= at; i--) {
      text[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    text[at + count] = (byte) behind;
  }
}
