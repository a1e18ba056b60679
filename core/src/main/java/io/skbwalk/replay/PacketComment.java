// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.netfilter.tables.RuleReference;
import java.util.List;

/**
 * What a capture says of a frame in its comment, for whoever opens it in Wireshark: what became of
 * the packet, the rule that decided with its place, the connection's state, other rules that
 * matched. One line, the fate first, so that it reads well in a narrow column.
 */
final class PacketComment {
  /** Rules besides the one that decided; more are counted only. */
  private static final int MOST_RULES = 4;

  /** Of a frame whose fate is not known when the capture ends. */
  static final String WAITS = "waits in this machine";

  private PacketComment() {}

  /** Of a frame of the input whose fate is known. */
  static String of(FrameRecord record) {
    StringBuilder text = new StringBuilder();
    boolean decided = false;
    switch (record.fate) {
      case FORWARDED, SENT -> left(text, record);
      case DROPPED -> {
        text.append("dropped");
        decided = "nf_hook_slow".equals(record.at) && record.verdict != null;
        if (decided) {
          rule(text.append(" by "), record.verdict);
        }
        text.append(": ").append(record.reason).append(" in ").append(record.at);
        to(text, "; answered to ", record);
      }
      case ANSWERED -> {
        if (record.outs.isEmpty()) {
          text.append("answered, in the capture");
        } else {
          to(text, "answered to ", record);
        }
      }
      case DELIVERED -> text.append("delivered");
      default -> text.append(record.waits ? WAITS : "consumed by this machine");
    }
    if (!decided) {
      decided(text, record);
    }
    state(text, record);
    return text.toString();
  }

  /** Where it went, and its ends when they are others than it came with. */
  private static void left(StringBuilder text, FrameRecord record) {
    boolean sent = record.sent;
    text.append(sent ? "sent" : "forwarded");
    boolean first = true;
    for (FrameRecord.Out out : record.outs) {
      if (sent || out.forwarded()) {
        text.append(first ? " to " : ", ").append(out.device());
        first = false;
        String ends = out.frame() == null ? "" : WalkResult.ends(out.frame());
        if (!ends.isEmpty() && !ends.equals(WalkResult.ends(record.frame))) {
          text.append(" as ").append(ends);
        }
      }
    }
    if (first && record.waits) {
      text.append(", ").append(WAITS);
    }
  }

  private static void to(StringBuilder text, String words, FrameRecord record) {
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
   * @param frame as it leaves
   */
  static String leaving(long number, FrameRecord record, boolean forwarded, byte[] frame) {
    if (number == 0) {
      return "made by this machine";
    }
    if (record == null || !forwarded && !record.sent) {
      return made(number, record);
    }
    StringBuilder text = new StringBuilder(forwarded ? "forwarded, frame " : "sent, frame ");
    text.append(record.number);
    if (forwarded) {
      text.append(" from ").append(record.device);
    }
    decided(text, record);
    state(text, record);
    String came = record.frame == null ? "" : WalkResult.ends(record.frame);
    if (!came.isEmpty() && !came.equals(WalkResult.ends(frame))) {
      text.append("; was ").append(came);
    }
    return text.toString();
  }

  private static String made(long number, FrameRecord record) {
    StringBuilder text = new StringBuilder("made by this machine because of frame ");
    text.append(number);
    if (record != null) {
      text.append(" from ").append(record.device);
      List<RuleReference> rules = record.rules;
      if (!rules.isEmpty()) {
        rule(text.append("; "), rules.get(rules.size() - 1));
      }
    }
    return text.toString();
  }

  private static void decided(StringBuilder text, FrameRecord record) {
    if (record.verdict != null) {
      rule(text.append("; "), record.verdict);
    }
  }

  private static void rule(StringBuilder text, RuleReference rule) {
    text.append(rule.label());
    if (!rule.target().isEmpty()) {
      text.append(' ').append(rule.target());
    }
    if (!rule.source().isEmpty()) {
      text.append(" (").append(rule.source()).append(')');
    }
  }

  private static void state(StringBuilder text, FrameRecord record) {
    if (record.state != null) {
      text.append("; connection ").append(record.state).append(record.reply ? ", reply" : "");
    }
    int others = 0;
    for (RuleReference rule : record.rules) {
      if (rule != record.verdict) {
        if (others < MOST_RULES) {
          rule(text.append(others == 0 ? "; also " : ", "), rule);
        }
        others++;
      }
    }
    if (others > MOST_RULES) {
      text.append(", and ").append(others - MOST_RULES).append(" more");
    }
  }
}
