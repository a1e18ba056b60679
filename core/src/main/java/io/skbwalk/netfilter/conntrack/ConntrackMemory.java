// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import java.util.Arrays;

/**
 * The memory of all entries (struct nf_conn): 32 words of 32 bits each, in chunks that are added
 * one at a time, so that growing copies nothing. An entry is an {@code int} handle from 1; a freed
 * handle is the next to be given out.
 *
 * <pre>
 *   word  0  1  2    original tuple: source, destination, ports
 *         3  4  5    reply tuple
 *         6          protocol, zone, zone directions, which extensions the entry has
 *         7  8  9    status, mark, timeout (in ticks, when confirmed an absolute time)
 *         10 11      master, cached events and references
 *         12 13      next in the hash chain of the original and of the reply tuple
 *         14 15      neighbours in the slot of the expiry wheel
 *         16 17      next by source (NAT), masquerading interface (NAT)
 *         18 .. 31   the protocol tracker's own
 * </pre>
 *
 * <p>Counters (nf_conntrack_acct) and start times (nf_conntrack_timestamp) lie in chunks of their
 * own that exist only once an entry has them.
 */
final class ConntrackMemory {
  static final int ORIGINAL_SOURCE = 0;
  static final int DESTINATION = 1;
  static final int PORTS = 2;
  static final int REPLY_SOURCE = 3;
  static final int META = 6;
  static final int STATUS = 7;
  static final int MARK = 8;
  static final int TIMEOUT = 9;
  static final int MASTER = 10;
  static final int REFERENCES = 11;
  static final int NEXT_ORIGINAL = 12;
  static final int NEXT_REPLY = 13;
  static final int WHEEL_NEXT = 14;
  static final int WHEEL_PREVIOUS = 15;
  static final int NEXT_BY_SOURCE = 16;
  static final int MASQUERADE_INDEX = 17;
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

  /** Words of an entry. */
  private static final int WORD_SHIFT = 5;

  private static final int CHUNK_SHIFT = 11;
  private static final int CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;

  /** Words of the counters of an entry, three a direction. */
  private static final int COUNTER_WORDS = 6;

  private int[][] chunks = new int[16][];
  private int[][] counters = new int[16][];
  private long[][] starts = new long[16][];
  private int used;
  private int freeList;

  ConntrackMemory() {
    chunks[0] = new int[1 << CHUNK_SHIFT + WORD_SHIFT];
  }

  /** Every handle ever given out is at most this. */
  int highest() {
    return used;
  }

  int get(int handle, int word) {
    return chunks[handle >>> CHUNK_SHIFT][(handle & CHUNK_MASK) << WORD_SHIFT | word];
  }

  void set(int handle, int word, int value) {
    chunks[handle >>> CHUNK_SHIFT][(handle & CHUNK_MASK) << WORD_SHIFT | word] = value;
  }

  /** The chunk that {@code handle} lies in, for several accesses at once; see {@link #offset}. */
  int[] chunk(int handle) {
    return chunks[handle >>> CHUNK_SHIFT];
  }

  /** Index of word 0 of {@code handle} in its {@link #chunk}. */
  static int offset(int handle) {
    return (handle & CHUNK_MASK) << WORD_SHIFT;
  }

  /** Plays kmem_cache_alloc: an entry of zeroes. */
  int allocate() {
    int handle = freeList;
    if (handle != 0) {
      freeList = get(handle, 0);
      int at = offset(handle);
      Arrays.fill(chunk(handle), at, at + (1 << WORD_SHIFT), 0);
      return handle;
    }
    handle = ++used;
    int index = handle >>> CHUNK_SHIFT;
    if (index == chunks.length) {
      chunks = Arrays.copyOf(chunks, index * 2);
      counters = Arrays.copyOf(counters, index * 2);
      starts = Arrays.copyOf(starts, index * 2);
    }
    if (chunks[index] == null) {
      chunks[index] = new int[1 << CHUNK_SHIFT + WORD_SHIFT];
    }
    return handle;
  }

  /** Plays kmem_cache_free. */
  void free(int handle) {
    set(handle, 0, freeList);
    freeList = handle;
  }

  /** Gives {@code handle} counters of zero. */
  void addCounters(int handle) {
    int index = handle >>> CHUNK_SHIFT;
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

  void setStart(int handle, long nanos) {
    int index = handle >>> CHUNK_SHIFT;
    if (starts[index] == null) {
      starts[index] = new long[1 << CHUNK_SHIFT];
    }
    starts[index][handle & CHUNK_MASK] = nanos;
  }

  long start(int handle) {
    return starts[handle >>> CHUNK_SHIFT][handle & CHUNK_MASK];
  }
}
