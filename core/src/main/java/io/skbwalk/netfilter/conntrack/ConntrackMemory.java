// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import java.util.Arrays;

/**
 * The memory of all entries (struct nf_conn): 32 words of 32 bits each.
 *
 * <pre>
 *   word  0  1  2    original tuple: source, destination, ports
 *         3  4  5    reply tuple
 *         6          protocol, zone, zone directions, which extensions the entry has
 *         7  8  9    status, mark, timeout (in ticks, when confirmed an absolute time)
 *         10 11      extensions, cached events and references
 *         12 13      next in the hash chain of the original and of the reply tuple
 *         14 15      neighbours in the slot of the expiry wheel
 *         16 17      next by source (NAT), slot of the wheel and masquerading interface (NAT)
 *         18 .. 31   the protocol tracker's own
 * </pre>
 *
 * <p>Counters (nf_conntrack_acct) and start times (nf_conntrack_timestamp) lie in chunks of their
 * own that exist only once an entry has them; what fewer entries have is in {@link
 * ConntrackExtensions}.
 */
final class ConntrackMemory extends Slab {
  static final int ORIGINAL_SOURCE = 0;
  static final int DESTINATION = 1;
  static final int PORTS = 2;
  static final int REPLY_SOURCE = 3;
  static final int META = 6;
  static final int STATUS = 7;
  static final int MARK = 8;
  static final int TIMEOUT = 9;
  static final int EXTENSIONS = 10;
  static final int REFERENCES = 11;
  static final int NEXT_ORIGINAL = 12;
  static final int NEXT_REPLY = 13;
  static final int WHEEL_NEXT = 14;
  static final int WHEEL_PREVIOUS = 15;
  static final int NEXT_BY_SOURCE = 16;
  private static final int SLOT_AND_INTERFACE = 17;
  static final int PROTOCOL_WORDS = 18;

  /** Parts of {@link #META} above the protocol number: 16 bits of zone, 2 of its directions. */
  static final int META_ZONE_SHIFT = 8;

  static final int META_DIR_SHIFT = 24;

  /** A template's zone is that of the packet's mark. */
  static final int META_ZONE_FROM_MARK = 1 << 26;

  /** The entry has counters. */
  static final int META_ACCT = 1 << 27;

  /** The entry has events to tell. */
  static final int META_EVENTS = 1 << 28;

  /** The entry has a start time. */
  static final int META_START = 1 << 29;

  /** The entry may have labels. */
  static final int META_LABELS = 1 << 30;

  /** Words of an entry. */
  private static final int WORD_SHIFT = 5;

  /**
   * Words of the counters of an entry: packets of both directions, 16 bits each; bytes of the
   * original direction; bytes of the reply direction. What does not fit in that is {@link #wide}.
   */
  private static final int COUNTER_WORDS = 3;

  private static final int COUNTER_CHUNK_SHIFT = 12;
  private static final int COUNTER_CHUNK_MASK = (1 << COUNTER_CHUNK_SHIFT) - 1;

  /** In the place of packets: the next word is a handle of {@link #wide}. */
  private static final int WIDE = -1;

  private int[][] counters = new int[16][];

  /** Counters of few, large connections: packets and bytes, 64 bits each, by direction. */
  private final Slab wide = new Slab(3);

  private long[][] starts = new long[16][];

  ConntrackMemory() {
    super(WORD_SHIFT);
  }

  /** Index of word 0 of {@code handle} in its {@link #chunk}. */
  static int offset(int handle) {
    return (handle & CHUNK_MASK) << WORD_SHIFT;
  }

  /** The slot of {@link ExpiryWheel} that an entry was put into last. */
  int wheelSlot(int handle) {
    return get(handle, SLOT_AND_INTERFACE) >>> 16;
  }

  void setWheelSlot(int handle, int slot) {
    set(handle, SLOT_AND_INTERFACE, slot << 16 | get(handle, SLOT_AND_INTERFACE) & 0xFFFF);
  }

  /** Index of the interface that MASQUERADE chose the address of, 1 to 65535; 0 for none. */
  int masqueradeIndex(int handle) {
    return get(handle, SLOT_AND_INTERFACE) & 0xFFFF;
  }

  void setMasqueradeIndex(int handle, int ifindex) {
    set(handle, SLOT_AND_INTERFACE, get(handle, SLOT_AND_INTERFACE) & 0xFFFF0000 | ifindex);
  }

  /** Gives {@code handle} counters of zero. */
  void addCounters(int handle) {
    int index = handle >>> COUNTER_CHUNK_SHIFT;
    if (index >= counters.length) {
      counters = Arrays.copyOf(counters, index * 2);
    }
    if (counters[index] == null) {
      counters[index] = new int[COUNTER_WORDS << COUNTER_CHUNK_SHIFT];
    }
    int[] words = counters[index];
    int at = counterOffset(handle);
    if (words[at] == WIDE) {
      // Those of the entry that had the handle before.
      wide.free(words[at + 1]);
    }
    Arrays.fill(words, at, at + COUNTER_WORDS, 0);
  }

  private int[] counterChunk(int handle) {
    return counters[handle >>> COUNTER_CHUNK_SHIFT];
  }

  private static int counterOffset(int handle) {
    return (handle & COUNTER_CHUNK_MASK) * COUNTER_WORDS;
  }

  /** Packets of a direction. */
  long packets(int handle, int direction) {
    int[] words = counterChunk(handle);
    int at = counterOffset(handle);
    return words[at] == WIDE
        ? wideCounter(words[at + 1], direction * 4)
        : words[at] >>> 16 * direction & 0xFFFF;
  }

  /** Bytes of a direction. */
  long bytes(int handle, int direction) {
    int[] words = counterChunk(handle);
    int at = counterOffset(handle);
    return words[at] == WIDE
        ? wideCounter(words[at + 1], direction * 4 + 2)
        : words[at + 1 + direction] & 0xFFFFFFFFL;
  }

  void setCounters(int handle, int direction, long packets, long bytes) {
    int[] words = counterChunk(handle);
    int at = counterOffset(handle);
    if (words[at] != WIDE) {
      if (packets < 0xFFFF && bytes <= 0xFFFFFFFFL) {
        int shift = 16 * direction;
        words[at] = words[at] & ~(0xFFFF << shift) | (int) packets << shift;
        words[at + 1 + direction] = (int) bytes;
        return;
      }
      int other = 1 - direction;
      int made = wide.allocate();
      setWideCounter(made, other * 4, packets(handle, other));
      setWideCounter(made, other * 4 + 2, bytes(handle, other));
      words[at] = WIDE;
      words[at + 1] = made;
    }
    setWideCounter(words[at + 1], direction * 4, packets);
    setWideCounter(words[at + 1], direction * 4 + 2, bytes);
  }

  private long wideCounter(int counters, int word) {
    return (long) wide.get(counters, word + 1) << 32 | wide.get(counters, word) & 0xFFFFFFFFL;
  }

  private void setWideCounter(int counters, int word, long value) {
    wide.set(counters, word, (int) value);
    wide.set(counters, word + 1, (int) (value >>> 32));
  }

  /** Counts one more packet of so many bytes. */
  void count(int handle, int direction, int bytes) {
    int[] words = counterChunk(handle);
    int at = counterOffset(handle);
    int packets = words[at];
    int low = words[at + 1 + direction] + bytes;
    if ((packets >>> 16 * direction & 0xFFFF) >= 0xFFFE
        || Integer.compareUnsigned(low, bytes) < 0) {
      setCounters(
          handle, direction, packets(handle, direction) + 1, bytes(handle, direction) + bytes);
      return;
    }
    words[at] = packets + (1 << 16 * direction);
    words[at + 1 + direction] = low;
  }

  void setStart(int handle, long nanos) {
    int index = handle >>> CHUNK_SHIFT;
    if (index >= starts.length) {
      starts = Arrays.copyOf(starts, index * 2);
    }
    if (starts[index] == null) {
      starts[index] = new long[1 << CHUNK_SHIFT];
    }
    starts[index][handle & CHUNK_MASK] = nanos;
  }

  long start(int handle) {
    return starts[handle >>> CHUNK_SHIFT][handle & CHUNK_MASK];
  }
}
