// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.kernel.Clock;
import io.skbwalk.lib.SourcePosition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Plays ip_set_extensions: what a set keeps with each element (timeout, counters, comment, mapping
 * to mark, priority and queue), in flat arrays by the element's number, and where each was written.
 */
final class Extensions {
  /** Seconds above which a timeout does not fit into ticks (IPSET_MAX_TIMEOUT). */
  private static final long MAX_TIMEOUT = 2_147_483;

  private static final int SKBINFO_WORDS = 4;

  private final SetOptions options;
  private final Clock clock;
  final boolean timeouts;

  /** Ticks at which an element runs out, 0 for never. */
  private long[] expires = {};

  private long[] packets = {};
  private long[] bytes = {};
  private int[] skbinfo = {};
  private String[] comments = {};
  private int[] lines = {};
  private byte[] files = {};
  private final List<String> fileNames = new ArrayList<>();

  Extensions(SetOptions options, Clock clock) {
    this.options = options;
    this.clock = clock;
    timeouts = options.timeout != SetOptions.NONE;
  }

  /** Makes room for elements below {@code capacity}. */
  void ensure(int capacity) {
    if (timeouts) {
      expires = Arrays.copyOf(expires, capacity);
    }
    if (options.counters) {
      packets = Arrays.copyOf(packets, capacity);
      bytes = Arrays.copyOf(bytes, capacity);
    }
    if (options.skbinfo) {
      skbinfo = Arrays.copyOf(skbinfo, capacity * SKBINFO_WORDS);
    }
    if (options.comment) {
      comments = Arrays.copyOf(comments, capacity);
    }
    lines = Arrays.copyOf(lines, capacity);
    files = Arrays.copyOf(files, capacity);
  }

  /** Plays ip_set_get_extensions: what of the entry this set does not take, or null. */
  SetError refusal(SetEntry entry) {
    if (entry.timeout != SetEntry.NONE && !timeouts) {
      return SetError.TIMEOUT;
    }
    if ((entry.packets != SetEntry.NONE || entry.bytes != SetEntry.NONE) && !options.counters) {
      return SetError.COUNTER;
    }
    if (entry.comment != null && !options.comment) {
      return SetError.COMMENT;
    }
    return entry.skbinfo && !options.skbinfo ? SetError.SKBINFO : null;
  }

  /**
   * Plays ip_set_init_counter and its kin. Counters that nobody gives stay what they are: where a
   * deleted element lay, Linux leaves its counts to the next.
   */
  void start(int element, SetEntry entry) {
    if (options.counters) {
      packets[element] = entry.packets != SetEntry.NONE ? entry.packets : packets[element];
      bytes[element] = entry.bytes != SetEntry.NONE ? entry.bytes : bytes[element];
    }
    if (options.comment && !entry.byRule) {
      comments[element] = entry.comment == null || entry.comment.isEmpty() ? null : entry.comment;
    }
    if (options.skbinfo) {
      int at = element * SKBINFO_WORDS;
      skbinfo[at] = entry.skbMark;
      skbinfo[at + 1] = entry.skbMask;
      skbinfo[at + 2] = entry.skbPriority;
      skbinfo[at + 3] = entry.skbQueue;
    }
    if (timeouts) {
      setTimeout(element, seconds(entry));
    }
    lines[element] = entry.at.line();
    files[element] = file(entry.at.file());
  }

  private byte file(String name) {
    int index = fileNames.indexOf(name);
    if (index < 0 && fileNames.size() <= Byte.MAX_VALUE) {
      index = fileNames.size();
      fileNames.add(name);
    }
    return (byte) Math.max(0, index);
  }

  /** The timeout that the entry asks for or the set has. */
  long seconds(SetEntry entry) {
    return entry.timeout == SetEntry.NONE ? options.timeout : entry.timeout;
  }

  /** Plays ip_set_timeout_set. */
  void setTimeout(int element, long seconds) {
    expires[element] =
        seconds == 0 ? 0 : clock.jiffies() + Math.min(seconds, MAX_TIMEOUT) * Clock.HZ;
  }

  /** bitmap:ip,mac: the timeout of an element whose time does not run yet. */
  void storeTimeout(int element, long seconds) {
    expires[element] = seconds;
  }

  long expires(int element) {
    return timeouts ? expires[element] : 0;
  }

  /** Plays ip_set_timeout_expired. */
  boolean isExpired(int element) {
    return timeouts && expires[element] != 0 && expires[element] < clock.jiffies();
  }

  /** Forgets what must not be left to the next element in the same place. */
  void forget(int element) {
    if (options.comment) {
      comments[element] = null;
    }
  }

  /** Forgets everything, as fresh memory does. */
  void clear(int element) {
    forget(element);
    if (options.counters) {
      packets[element] = 0;
      bytes[element] = 0;
    }
  }

  /**
   * Plays ip_set_match_extensions: counts the packet; is the element alive and its counts right?
   */
  boolean matches(int element, SetQuery query, boolean skips, boolean compares, int length) {
    if (isExpired(element)) {
      return false;
    }
    if (options.counters) {
      if (!skips) {
        packets[element]++;
        bytes[element] += length;
      }
      if (compares
          && !(query.packetsComparison.holds(packets[element], query.packets)
              && query.bytesComparison.holds(bytes[element], query.bytes))) {
        return false;
      }
    }
    if (options.skbinfo) {
      int at = element * SKBINFO_WORDS;
      query.skbMark = skbinfo[at];
      query.skbMask = skbinfo[at + 1];
      query.skbPriority = skbinfo[at + 2];
      query.skbQueue = skbinfo[at + 3];
    }
    return true;
  }

  // ---- for people -------------------------------------------------------------------------------

  /** Plays ip_set_timeout_get: seconds left, 0 for always; what is less than one is one. */
  long left(int element) {
    long left = expires[element] - clock.jiffies();
    return expires[element] == 0 ? 0 : Math.max(1, left / Clock.HZ);
  }

  /** Appends one of {@link SetType#addOptions} with its value, when there is something to say. */
  void append(StringBuilder out, String option, int element, boolean timeRuns) {
    switch (option) {
      case "timeout" -> {
        if (timeouts) {
          out.append(" timeout ").append(timeRuns ? left(element) : expires[element]);
        }
      }
      case "packets" -> {
        if (options.counters) {
          out.append(" packets ").append(Long.toUnsignedString(packets[element]));
        }
      }
      case "bytes" -> {
        if (options.counters) {
          out.append(" bytes ").append(Long.toUnsignedString(bytes[element]));
        }
      }
      case "comment" -> {
        if (options.comment && comments[element] != null) {
          out.append(" comment \"").append(comments[element]).append('"');
        }
      }
      default -> {
        if (options.skbinfo) {
          appendSkbinfo(out, option, element * SKBINFO_WORDS);
        }
      }
    }
  }

  private void appendSkbinfo(StringBuilder out, String option, int at) {
    if (option.equals("skbmark") && (skbinfo[at] != 0 || skbinfo[at + 1] != 0)) {
      out.append(" skbmark 0x").append(Integer.toHexString(skbinfo[at]));
      if (skbinfo[at + 1] != -1) {
        out.append("/0x").append(Integer.toHexString(skbinfo[at + 1]));
      }
    } else if (option.equals("skbprio") && skbinfo[at + 2] != 0) {
      out.append(" skbprio ").append(priority(skbinfo[at + 2]));
    } else if (option.equals("skbqueue") && skbinfo[at + 3] != 0) {
      out.append(" skbqueue ").append(skbinfo[at + 3]);
    }
  }

  /** A priority as class of a traffic control queue: {@code MAJOR:MINOR} in hexadecimal. */
  static String priority(int priority) {
    return Integer.toHexString(priority >>> 16) + ":" + Integer.toHexString(priority & 0xFFFF);
  }

  /** Where the element was written, {@link SourcePosition#NONE} when a rule added it. */
  SourcePosition position(int element) {
    String file = lines[element] == 0 ? "" : fileNames.get(files[element]);
    return file.isEmpty() ? SourcePosition.NONE : new SourcePosition(file, lines[element], 0);
  }
}
