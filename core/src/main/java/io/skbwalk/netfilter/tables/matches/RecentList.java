// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.matches;

import io.skbwalk.netfilter.tables.SharedByName;

/**
 * Plays struct recent_table: addresses with the times at which they were seen, at most 100; the
 * address that was not seen for longest makes room.
 */
final class RecentList {
  /** XT_RECENT_MAX_NSTAMPS (Linux 6.18): so many stamps an address never has. */
  static final int MOST_STAMPS = 65536;

  /** ip_list_tot, the module's parameter. */
  private static final int MOST_ADDRESSES = 100;

  private static final int USUAL_STAMPS = 32;

  /** The lists of one machine by name. */
  static final class All extends SharedByName<RecentList> {
    /**
     * The list of that name; {@code mask} counts when it is new, {@code hits} when it is more: then
     * what the list had is forgotten.
     */
    RecentList list(String name, int mask, int hits) {
      RecentList list = take(name, () -> new RecentList(mask));
      int stamps = hits == 0 ? USUAL_STAMPS : roundUp(hits);
      if (stamps > list.stamps) {
        list.flush();
        list.stamps = stamps;
      }
      return list;
    }

    /** The smallest power of two that is not less. */
    private static int roundUp(int number) {
      return number == 1 ? 1 : Integer.highestOneBit(number - 1) << 1;
    }
  }

  /** An address; times are ticks. */
  static final class Entry {
    private int address;
    private int ttl;
    private long[] stamps;
    private int count;
    private int index;
    private Entry older;
    private Entry newer;
    private Entry chain;

    /**
     * Are there {@code wanted} stamps (0 for one), of {@code since} or later when {@code recent}?
     */
    boolean hits(boolean recent, long since, int wanted) {
      int hits = 0;
      for (int i = 0; i < count; i++) {
        if (recent && since > stamps[i]) {
          continue;
        }
        if (wanted == 0 || ++hits >= wanted) {
          return true;
        }
      }
      return false;
    }
  }

  final int mask;
  private int stamps;
  private int size;
  private Entry oldest;
  private Entry newest;
  private final Entry[] buckets = new Entry[128];
  private Entry spare;

  private RecentList(int mask) {
    this.mask = mask;
  }

  private static int bucket(int address) {
    return (address * 0x9E3779B1) >>> 25;
  }

  /** The entry of the address; a {@code ttl} other than 0 must be the remembered one. */
  Entry find(int address, int ttl) {
    for (Entry entry = buckets[bucket(address)]; entry != null; entry = entry.chain) {
      if (entry.address == address && (ttl == entry.ttl || ttl == 0 || entry.ttl == 0)) {
        return entry;
      }
    }
    return null;
  }

  void add(int address, int ttl, long now) {
    if (size >= MOST_ADDRESSES) {
      remove(oldest);
    }
    Entry entry = spare;
    if (entry == null) {
      entry = new Entry();
      entry.stamps = new long[stamps];
    } else {
      spare = entry.chain;
    }
    entry.address = address;
    entry.ttl = ttl;
    entry.stamps[0] = now;
    entry.count = 1;
    entry.index = 1;
    entry.chain = buckets[bucket(address)];
    buckets[bucket(address)] = entry;
    link(entry);
    size++;
  }

  void remove(Entry entry) {
    int bucket = bucket(entry.address);
    if (buckets[bucket] == entry) {
      buckets[bucket] = entry.chain;
    } else {
      Entry before = buckets[bucket];
      while (before.chain != entry) {
        before = before.chain;
      }
      before.chain = entry.chain;
    }
    unlink(entry);
    size--;
    entry.chain = spare;
    spare = entry;
  }

  /** Plays recent_table_flush; entries of another size are of no use any more. */
  private void flush() {
    while (oldest != null) {
      remove(oldest);
    }
    spare = null;
  }

  /** Takes the oldest entry off when its last stamp lies before {@code since}. */
  void reap(long since, Entry working, boolean update) {
    if (oldest == working && update) {
      return;
    }
    if (since > oldest.stamps[oldest.index - 1]) {
      remove(oldest);
    }
  }

  /** Adds a stamp. */
  void update(Entry entry, int ttl, long now) {
    entry.index &= stamps - 1;
    entry.stamps[entry.index++] = now;
    entry.count = Math.max(entry.count, entry.index);
    entry.ttl = ttl;
    unlink(entry);
    link(entry);
  }

  private void link(Entry entry) {
    entry.older = newest;
    entry.newer = null;
    if (newest == null) {
      oldest = entry;
    } else {
      newest.newer = entry;
    }
    newest = entry;
  }

  private void unlink(Entry entry) {
    if (entry.older == null) {
      oldest = entry.newer;
    } else {
      entry.older.newer = entry.newer;
    }
    if (entry.newer == null) {
      newest = entry.older;
    } else {
      entry.newer.older = entry.older;
    }
  }
}
