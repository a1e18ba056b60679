// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.lib.Ip4;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayTotals;
import java.util.ArrayList;
import java.util.List;

/** Which packets a walk is told of: by number, by flow, those that were typed, or all. */
final class Choice {
  private record Range(long first, long last) {}

  private record End(int address, int port) {}

  private final List<Range> ranges = new ArrayList<>();
  private final boolean typed;
  private End one;
  private End other;
  private long largest;
  private long last;
  private long seen;

  private Choice(boolean typed) {
    this.typed = typed;
  }

  static Choice of(String packet, String flow, boolean typed) {
    Choice choice = new Choice(typed);
    if (packet != null) {
      for (String part : packet.split(",", -1)) {
        choice.ranges.add(range(packet, part.strip()));
      }
    }
    for (Range range : choice.ranges) {
      choice.largest = Math.max(choice.largest, range.first);
      choice.last = Math.max(choice.last, range.last);
    }
    if (flow != null) {
      int dash = flow.indexOf('-');
      if (dash < 0) {
        throw wrongFlow(flow);
      }
      choice.one = end(flow, flow.substring(0, dash).strip());
      choice.other = end(flow, flow.substring(dash + 1).strip());
    }
    return choice;
  }

  private static Range range(String packet, String part) {
    try {
      int dash = part.indexOf('-');
      long first = Long.parseLong(dash < 0 ? part : part.substring(0, dash));
      long last = dash < 0 ? first : Long.parseLong(part.substring(dash + 1));
      if (first >= 1 && last >= first) {
        return new Range(first, last);
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new Unusable(
        "--packet " + packet + ": numbers from 1 are wanted, such as 7 or 1,3,10-12");
  }

  private static Unusable wrongFlow(String flow) {
    return new Unusable(
        "--flow " + flow + ": two ends are wanted, such as 192.0.2.1:1025-192.0.2.2:80");
  }

  private static End end(String flow, String text) {
    try {
      int colon = text.indexOf(':');
      int port = colon < 0 ? -1 : Integer.parseInt(text.substring(colon + 1));
      if (port <= 65535) {
        return new End(Ip4.parse(colon < 0 ? text : text.substring(0, colon)), port);
      }
    } catch (IllegalArgumentException e) {
      // Said below.
    }
    throw wrongFlow(flow);
  }

  /** Nothing was chosen, so everything is. */
  boolean isEverything() {
    return ranges.isEmpty() && one == null && !typed;
  }

  /** The last of those chosen by their numbers. */
  long last() {
    return last;
  }

  /** Is this one of the packets that were chosen? */
  boolean takes(FrameRecord record) {
    return record.isChosen()
        && (isEverything() || typed && record.isTyped() || numbered(record) || inFlow(record));
  }

  /** Lets the chosen packets be told; {@code all}: others, too, for a trace. */
  Replay.Walks walks(boolean misses, boolean all) {
    return new Replay.Walks() {
      @Override
      public boolean wanted(FrameRecord record) {
        return all || takes(record);
      }

      @Override
      public boolean misses() {
        return misses;
      }
    };
  }

  private boolean numbered(FrameRecord record) {
    for (Range range : ranges) {
      if (record.number >= range.first && record.number <= range.last) {
        return true;
      }
    }
    return false;
  }

  private boolean inFlow(FrameRecord record) {
    return one != null
        && (record.isBetween(one.address, one.port, other.address, other.port)
            || record.isBetween(other.address, other.port, one.address, one.port));
  }

  /** One of them was told. */
  void saw() {
    seen++;
  }

  /** Complains when what was chosen is not there. */
  void check(String input, ReplayTotals totals) {
    if (largest > totals.read) {
      throw new Unusable(
          "--packet "
              + largest
              + ": "
              + input
              + " has "
              + totals.read
              + (totals.read == 1 ? " frame" : " frames"));
    }
    if (seen == 0 && !ranges.isEmpty()) {
      throw new Unusable(
          "--packet: there is nothing to tell of those frames (--filter leaves them out, or the"
              + " machine put them there itself by forwarding)");
    }
    if (seen == 0 && one != null) {
      throw new Unusable("--flow: no packet of " + input + " is between these ends");
    }
  }
}
