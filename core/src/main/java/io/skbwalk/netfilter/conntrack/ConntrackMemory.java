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

  /** Words of the counters of an entry, three a direction. */
  private static final int COUNTER_WORDS = 6;

  private int[][] counters = new int[16][];
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
    int index = handle >>> CHUNK_SHIFT;
    if (index >= counters.length) {
      counters = Arrays.copyOf(counters, index * 2);
    }
    if (counters[index] == null) {
      counters[index] = new int[(1 << CHUNK_SHIFT) * COUNTER_WORDS];
    }
    int at = (handle & CHUNK_MASK) * COUNTER_WORDS;
    Arrays.fill(counters[index], at, at + COUNTER_WORDS, 0);
  }

  /** Packets up to 2^40. */
  long packets(int handle, int direction) {
    int[] words = counters[handle >>> CHUNK_SHIFT];
    int at = (handle & CHUNK_MASK) * COUNTER_WORDS + direction * 3;
    return (words[at + 2] & 0xFF000000L) << 8 | words[at] & 0xFFFFFFFFL;
  }

  /** Bytes up to 2^56. */
  long bytes(int handle, int direction) {
    int[] words = counters[handle >>> CHUNK_SHIFT];
    int at = (handle & CHUNK_MASK) * COUNTER_WORDS + direction * 3;
    return (words[at + 2] & 0x00FFFFFFL) << 32 | words[at + 1] & 0xFFFFFFFFL;
  }

  void setCounters(int handle, int direction, long packets, long bytes) {
    int[] words = counters[handle >>> CHUNK_SHIFT];
    int at = (handle & CHUNK_MASK) * COUNTER_WORDS + direction * 3;
    words[at] = (int) packets;
    words[at + 1] = (int) bytes;
    words[at + 2] = (int) (packets >>> 32) << 24 | (int) (bytes >>> 32) & 0x00FFFFFF;
  }

  /** Counts one more packet of so many bytes. */
  void count(int handle, int direction, int bytes) {
    int[] words = counters[handle >>> CHUNK_SHIFT];
    int at = (handle & CHUNK_MASK) * COUNTER_WORDS + direction * 3;
    int low = words[at + 1] + bytes;
    if (++words[at] == 0 || Integer.compareUnsigned(low, bytes) < 0) {
      words[at]--;
      setCounters(
          handle, direction, packets(handle, direction) + 1, bytes(handle, direction) + bytes);
      return;
    }
    words[at + 1] = low;
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
