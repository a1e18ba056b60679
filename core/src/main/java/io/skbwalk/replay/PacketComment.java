// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.lib.TextBytes;
import io.skbwalk.netfilter.tables.RuleReference;
import java.util.Arrays;
import java.util.List;

/**
 * What a capture says of a frame in its comment, for whoever opens it in Wireshark: what became of
 * the packet, the rule that decided with its place, the connection's state, other rules that
 * matched. One line, the fate first, so that it reads well in a narrow column.
 *
 * <p>Each comment is good until the next one is asked for.
 */
final class PacketComment {
  /** Rules besides the one that decided; more are counted only. */
  private static final int MOST_RULES = 4;

  /** Of a frame whose fate is not known when the capture ends. */
  static final String WAITS = "waits in this machine";

  private final TextBytes text = new TextBytes(1 << 10);

  /** What the rules did, in words: without the one that a fate has told, and with all. */
  private final Outcomes told = new Outcomes();

  private final Outcomes untold = new Outcomes();

  /** Of a frame of the input whose fate is known. */
  TextBytes of(FrameRecord record) {
    text.clear();
    boolean decided = false;
    switch (record.fate) {
      case FORWARDED, SENT -> left(record);
      case DROPPED -> {
        text.append("dropped");
        decided = "nf_hook_slow".equals(record.at) && record.verdict != null;
        if (decided) {
          rule(" by ", record.verdict);
        }
        text.append(": ").append(record.reason.name()).append(" in ").append(record.at);
        to("; answered to ", record);
      }
      case ANSWERED -> {
        if (record.outs.isEmpty()) {
          text.append("answered, in the capture");
        } else {
          to("answered to ", record);
        }
      }
      case DELIVERED -> text.append("delivered");
      default -> text.append(record.waits ? WAITS : "consumed by this machine");
    }
    rules(record, decided);
    return text;
  }

  /** Where it went, and its ends when they are others than it came with. */
  private void left(FrameRecord record) {
    boolean sent = record.sent;
    text.append(sent ? "sent" : "forwarded");
    boolean first = true;
    for (FrameRecord.Out out : record.outs) {
      if (sent || out.forwarded()) {
        text.append(first ? " to " : ", ").append(out.device());
        first = false;
        byte[] frame = out.frame();
        byte[] came = record.frame;
        if (frame != null && FrameEnds.areOthers(frame, 0, frame.length, came, 0, came.length)) {
          FrameEnds.append(text.append(" as "), frame, 0, frame.length);
        }
      }
    }
    if (first && record.waits) {
      text.append(", ").append(WAITS);
    }
  }

  private void to(String words, FrameRecord record) {
    boolean first = true;
    for (FrameRecord.Out out : record.outs) {
      text.append(first ? words : ", ").append(out.device());
      first = false;
    }
  }

  /**
   * Of a frame that leaves because of another.
   *
   * @param number the other's; 0 for none
   * @param record what is known of the other by then; null when that is forgotten
   * @param forwarded it is the other's packet
   * @param frame where it is as it leaves, from {@code from} to {@code to}
   */
  TextBytes leaving(
      long number, FrameRecord record, boolean forwarded, byte[] frame, int from, int to) {
    text.clear();
    if (number == 0) {
      return text.append("made by this machine");
    }
    if (record == null || !forwarded && !record.sent) {
      made(number, record);
      return text;
    }
    text.append(forwarded ? "forwarded, frame " : "sent, frame ").append(record.number);
    if (forwarded) {
      text.append(" from ").append(record.device);
    }
    rules(record, false);
    byte[] came = record.frame;
    if (came != null && FrameEnds.areOthers(came, 0, came.length, frame, from, to)) {
      FrameEnds.append(text.append("; was "), came, 0, came.length);
    }
    return text;
  }

  private void made(long number, FrameRecord record) {
    text.append("made by this machine because of frame ").append(number);
    if (record != null) {
      text.append(" from ").append(record.device);
      List<RuleReference> matched = record.rules;
      if (!matched.isEmpty()) {
        rule("; ", matched.get(matched.size() - 1));
      }
    }
  }

  /**
   * The rule that decided, the connection's state, the other rules.
   *
   * @param told the fate has told the one that decided
   */
  private void rules(FrameRecord record, boolean told) {
    Outcomes.Outcome outcome = (told ? this.told : untold).of(record);
    if (outcome.words != null) {
      text.append(outcome.words);
      return;
    }
    int begin = text.length;
    if (!told && record.verdict != null) {
      rule("; ", record.verdict);
    }
    state(record);
    outcome.words = Arrays.copyOfRange(text.bytes, begin, text.length);
  }

  private void rule(String words, RuleReference rule) {
    text.append(words).append(rule.label());
    if (!rule.target().isEmpty()) {
      text.append(' ').append(rule.target());
    }
    if (!rule.source().isEmpty()) {
      text.append(" (").append(rule.source()).append(')');
    }
  }

  private void state(FrameRecord record) {
    if (record.state != null) {
      text.append("; connection ").append(record.state).append(record.reply ? ", reply" : "");
    }
    int others = 0;
    for (RuleReference rule : record.rules) {
      if (rule != record.verdict) {
        if (others < MOST_RULES) {
          rule(others == 0 ? "; also " : ", ", rule);
        }
        others++;
      }
    }
    if (others > MOST_RULES) {
      text.append(", and ").append(others - MOST_RULES).append(" more");
    }
  }
}
