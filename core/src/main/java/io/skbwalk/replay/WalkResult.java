// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.lib.Hex;
import io.skbwalk.lib.Ip4;
import io.skbwalk.skb.EthernetHeader;
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
    StringBuilder text = new StringBuilder();
    switch (record.fate) {
      case FORWARDED -> left(text, record, true);
      case SENT -> left(text, record, false);
      case DROPPED -> {
        text.append("dropped in ").append(record.at).append(": ").append(record.reason);
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
    return text.toString();
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

  private static void left(StringBuilder text, FrameRecord record, boolean forwarded) {
    text.append(forwarded ? "forwarded" : "sent");
    boolean first = true;
    for (FrameRecord.Out out : record.outs) {
      if (out.forwarded() == forwarded || !forwarded) {
        text.append(first ? " to " : "; ").append(out.device());
        if (out.frame() != null) {
          text.append(": ").append(describe(out.frame()));
        }
        first = false;
      }
    }
    if (first) {
      text.append(record.waits ? "; waits in this machine" : " by loopback");
    }
  }

  private static void answers(StringBuilder text, FrameRecord record) {
    boolean first = true;
    for (FrameRecord.Out out : record.outs) {
      text.append(first ? "answered to " : "; ").append(out.device());
      if (out.frame() != null) {
        text.append(": ").append(describe(out.frame()));
      }
      first = false;
    }
  }

  /** Addresses, TTL and length of an Ethernet frame. */
  static String describe(byte[] frame) {
    int ip = ip(frame);
    if (ip < 0) {
      return frame.length + " bytes";
    }
    int ttl = frame[ip + IpHeader.TTL_OFFSET] & 0xFF;
    return ends(frame) + " ttl " + ttl + ", " + frame.length + " bytes";
  }

  /** Who sends an Ethernet frame's packet to whom; empty when it is not IPv4. */
  static String ends(byte[] frame) {
    int ip = ip(frame);
    if (ip < 0) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    end(text, frame, ip, IpHeader.SOURCE_OFFSET, 0);
    text.append(" > ");
    end(text, frame, ip, IpHeader.DESTINATION_OFFSET, 2);
    return text.toString();
  }

  private static void end(StringBuilder text, byte[] frame, int ip, int address, int port) {
    text.append(Ip4.format(u32(frame, ip + address)));
    int at = ports(frame, ip);
    if (at >= 0) {
      text.append(':').append(u16(frame, at + port));
    }
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

  /** Where the ports are, or -1. */
  private static int ports(byte[] frame, int ip) {
    int protocol = frame[ip + IpHeader.PROTOCOL_OFFSET] & 0xFF;
    boolean has = protocol == IpHeader.IPPROTO_TCP || protocol == IpHeader.IPPROTO_UDP;
    int at = ip + (frame[ip] & 15) * 4;
    boolean first = (u16(frame, ip + IpHeader.FRAGMENT_OFFSET) & IpHeader.IP_OFFSET) == 0;
    return has && first && at + 4 <= frame.length ? at : -1;
  }

  /** Where the IPv4 header is, behind all VLAN tags; -1 when there is none. */
  private static int ip(byte[] frame) {
    int at = EthernetHeader.TYPE_OFFSET;
    while (at + 2 <= frame.length
        && (u16(frame, at) == EthernetHeader.ETH_P_8021Q
            || u16(frame, at) == EthernetHeader.ETH_P_8021AD)) {
      at += 4;
    }
    boolean is =
        at + 2 + IpHeader.MIN_LENGTH <= frame.length
            && u16(frame, at) == EthernetHeader.ETH_P_IP
            && (frame[at + 2] & 0xF0) == 0x40;
    return is ? at + 2 : -1;
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
    Map<String, String[]> told = new LinkedHashMap<>();
    if (record.events != null) {
      int depth = 0;
      for (TraceEvent event : record.events) {
        if (event instanceof TraceEvent.Made) {
          depth++;
        } else if (depth > 0
            && (event instanceof TraceEvent.Sent
                || event instanceof TraceEvent.Dropped
                || event instanceof TraceEvent.Withheld)) {
          depth--;
        } else if (depth == 0 && event instanceof TraceEvent.Changed changed) {
          told.merge(
              changed.field(),
              new String[] {changed.before(), changed.after()},
              (old, now) -> new String[] {old[0], now[1]});
        }
      }
    }
    int before = record.frame == null ? -1 : ip(record.frame);
    int now = after == null ? -1 : ip(after);
    if (before >= 0 && now >= 0) {
      compare(changes, record.frame, before, after, now);
      // What has no place in the header.
      told.keySet().removeIf(field -> !field.contains("mark") && !field.contains("ct"));
    }
    told.forEach(
        (field, values) -> {
          if (!values[0].equals(values[1])) {
            changes.add(new Change(field, values[0], values[1]));
          }
        });
    return changes;
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
    String old = Ip4.format(oldAddress);
    String now = Ip4.format(newAddress);
    boolean port = before >= 0 && after >= 0 && u16(a, before + offset) != u16(b, after + offset);
    if (port) {
      old += ":" + u16(a, before + offset);
      now += ":" + u16(b, after + offset);
    }
    if (!old.equals(now)) {
      changes.add(new Change(port ? name + " address and port" : name + " address", old, now));
    }
  }

  private static void number(List<Change> changes, String field, int before, int after) {
    if (before != after) {
      changes.add(new Change(field, Integer.toString(before), Integer.toString(after)));
    }
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
  }

  private static int u32(byte[] bytes, int at) {
    return u16(bytes, at) << 16 | u16(bytes, at + 2);
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
