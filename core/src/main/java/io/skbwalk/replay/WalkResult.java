// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import static io.skbwalk.replay.FrameEnds.u16;
import static io.skbwalk.replay.FrameEnds.u32;

import io.skbwalk.lib.Hex;
import io.skbwalk.lib.Ip4;
import io.skbwalk.lib.TextBytes;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.trace.TraceEvent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The end of a walk: what became of the frame, and what about it had changed when it left. */
public final class WalkResult {
  /** A field that is not the same any more. */
  public record Change(String field, String before, String after) {}

  private WalkResult() {}

  /** One line, such as {@code forwarded to eth1: 192.0.2.1:80 > 192.0.2.2:9 ttl 63, 60 bytes}. */
  public static String text(FrameRecord record) {
    TextBytes text = new TextBytes(200);
    text(text, record);
    return text.toString();
  }

  static void text(TextBytes text, FrameRecord record) {
    switch (record.fate) {
      case FORWARDED -> left(text, record, true);
      case SENT -> left(text, record, false);
      case DROPPED -> {
        text.append("dropped in ").append(record.at).append(": ").append(record.reason.name());
        if (record.verdict != null && "nf_hook_slow".equals(record.at)) {
          text.append(" by ").append(record.verdict.label());
          if (!record.verdict.source().isEmpty()) {
            text.append(" (").append(record.verdict.source()).append(')');
          }
        }
        answers(text.append(record.outs.isEmpty() ? "" : "; "), record);
      }
      case ANSWERED -> {
        if (record.outs.isEmpty()) {
          text.append("answered; the answer is in the capture");
        } else {
          answers(text, record);
        }
      }
      case DELIVERED -> text.append("delivered").append(to(record));
      default -> text.append(record.waits ? "waits in this machine" : "consumed by this machine");
    }
  }

  private static String to(FrameRecord record) {
    String socket = "";
    if (record.events != null) {
      for (TraceEvent event : record.events) {
        if (event instanceof TraceEvent.Socket one) {
          socket = " to " + one.socket();
        }
      }
    }
    return socket;
  }

  private static void left(TextBytes text, FrameRecord record, boolean forwarded) {
    text.append(forwarded ? "forwarded" : "sent");
    boolean first = true;
    for (FrameRecord.Out out : record.outs) {
      if (out.forwarded() == forwarded || !forwarded) {
        text.append(first ? " to " : "; ").append(out.device());
        if (out.frame() != null) {
          describe(text.append(": "), out.frame());
        }
        first = false;
      }
    }
    if (first) {
      text.append(record.waits ? "; waits in this machine" : " by loopback");
    }
  }

  private static void answers(TextBytes text, FrameRecord record) {
    boolean first = true;
    for (FrameRecord.Out out : record.outs) {
      text.append(first ? "answered to " : "; ").append(out.device());
      if (out.frame() != null) {
        describe(text.append(": "), out.frame());
      }
      first = false;
    }
  }

  /** Addresses, TTL and length of an Ethernet frame. */
  static void describe(TextBytes text, byte[] frame) {
    int ip = ip(frame);
    if (ip >= 0) {
      FrameEnds.append(text, frame, 0, frame.length);
      text.append(" ttl ").append(frame[ip + IpHeader.TTL_OFFSET] & 0xFF).append(", ");
    }
    text.append(frame.length).append(" bytes");
  }

  static boolean isBetween(byte[] frame, int from, int fromPort, int to, int toPort) {
    int ip = ip(frame);
    if (ip < 0
        || u32(frame, ip + IpHeader.SOURCE_OFFSET) != from
        || u32(frame, ip + IpHeader.DESTINATION_OFFSET) != to) {
      return false;
    }
    int at = ports(frame, ip);
    return (fromPort < 0 || at >= 0 && u16(frame, at) == fromPort)
        && (toPort < 0 || at >= 0 && u16(frame, at + 2) == toPort);
  }

  private static int ip(byte[] frame) {
    return FrameEnds.ip(frame, 0, frame.length);
  }

  private static int ports(byte[] frame, int ip) {
    return FrameEnds.ports(frame, ip, frame.length);
  }

  /**
   * What was changed about the packet between its coming and its leaving (or its end: then only
   * what the steps told).
   */
  public static List<Change> changes(FrameRecord record) {
    List<Change> changes = new ArrayList<>();
    byte[] after = null;
    for (FrameRecord.Out out : record.outs) {
      if (after == null && (out.forwarded() || record.sent)) {
        after = out.frame();
      }
    }
    int before = record.frame == null ? -1 : ip(record.frame);
    int now = after == null ? -1 : ip(after);
    boolean seen = before >= 0 && now >= 0;
    if (seen) {
      compare(changes, record.frame, before, after, now);
    }
    if (record.events != null) {
      told(changes, record.events, seen);
    }
    return changes;
  }

  /**
   * What the steps told.
   *
   * @param seen what has a place in the header is known
   */
  private static void told(List<Change> changes, List<TraceEvent> events, boolean seen) {
    Map<String, String[]> told = Map.of();
    int depth = 0;
    for (int i = 0; i < events.size(); i++) {
      TraceEvent event = events.get(i);
      if (event instanceof TraceEvent.Made) {
        depth++;
      } else if (depth > 0
          && (event instanceof TraceEvent.Sent
              || event instanceof TraceEvent.Dropped
              || event instanceof TraceEvent.Withheld)) {
        depth--;
      } else if (depth == 0
          && event instanceof TraceEvent.Changed changed
          && !(seen && isInHeader(changed.field()))) {
        told = told.isEmpty() ? new LinkedHashMap<>() : told;
        told.merge(
            changed.field(),
            new String[] {changed.before(), changed.after()},
            (old, now) -> new String[] {old[0], now[1]});
      }
    }
    told.forEach(
        (field, values) -> {
          if (!values[0].equals(values[1])) {
            changes.add(new Change(field, values[0], values[1]));
          }
        });
  }

  private static boolean isInHeader(String field) {
    return !field.contains("mark") && !field.contains("ct");
  }

  private static void compare(List<Change> changes, byte[] a, int at, byte[] b, int bt) {
    number(changes, "tos", a[at + 1] & 0xFF, b[bt + 1] & 0xFF);
    number(changes, "length", u16(a, at + 2), u16(b, bt + 2));
    number(changes, "id", u16(a, at + 4), u16(b, bt + 4));
    number(changes, "fragment", u16(a, at + 6), u16(b, bt + 6));
    number(changes, "ttl", a[at + 8] & 0xFF, b[bt + 8] & 0xFF);
    int before = ports(a, at);
    int after = ports(b, bt);
    end(changes, "source", u32(a, at + 12), u32(b, bt + 12), a, before, b, after, 0);
    end(changes, "destination", u32(a, at + 16), u32(b, bt + 16), a, before, b, after, 2);
    if (u16(a, at + 10) != u16(b, bt + 10)) {
      changes.add(new Change("checksums", Hex.of16(u16(a, at + 10)), Hex.of16(u16(b, bt + 10))));
    }
  }

  private static void end(
      List<Change> changes,
      String name,
      int oldAddress,
      int newAddress,
      byte[] a,
      int before,
      byte[] b,
      int after,
      int offset) {
    boolean port = before >= 0 && after >= 0 && u16(a, before + offset) != u16(b, after + offset);
    if (oldAddress == newAddress && !port) {
      return;
    }
    String old = Ip4.format(oldAddress);
    String now = Ip4.format(newAddress);
    if (port) {
      old += ":" + u16(a, before + offset);
      now += ":" + u16(b, after + offset);
    }
    changes.add(new Change(port ? name + " address and port" : name + " address", old, now));
  }

  private static void number(List<Change> changes, String field, int before, int after) {
    if (before != after) {
      changes.add(new Change(field, Integer.toString(before), Integer.toString(after)));
    }
  }

  /** The changes as one line: numbers with their values, addresses and checksums by name. */
  public static String inWords(List<Change> changes) {
    List<String> parts = new ArrayList<>();
    for (Change change : changes) {
      if (change.field().equals("checksums") || change.field().contains("address")) {
        // Addresses stand in the line above.
        parts.add(change.field());
      } else {
        parts.add(change.field() + " " + change.before() + " -> " + change.after());
      }
    }
    return String.join(", ", parts);
  }
}
