// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Which entries run out when: a hierarchical timer wheel (Varghese and Lauck 1987) of four levels
 * with 256 slots each over ticks of the virtual clock. Linux finds expired entries by lookup and by
 * a garbage-collecting worker (gc_worker); here each runs out at its own tick, in the order in
 * which the slots were filled, which two runs share.
 *
 * <p>A renewed timeout moves nothing: the entry is looked at when its old time comes and goes to
 * its new slot then. An earlier time moves it only when its slot would come too late; a connection
 * whose timeout goes up and down with each segment and its acknowledgement stays where it is.
 */
final class ExpiryWheel {
  private static final int LEVELS = 4;
  private static final int SLOTS = 256;

  private final ConntrackMemory memory;
  private final int[] heads = new int[LEVELS * SLOTS];
  private final int[] tails = new int[LEVELS * SLOTS];
  private final long[] occupied = new long[LEVELS * SLOTS / 64];

  /** The first tick whose entries have not run out yet. */
  private long next;

  /** Told of an entry whose time has come. */
  interface Expired {
    void expired(int handle);
  }

  ExpiryWheel(ConntrackMemory memory, long now) {
    this.memory = memory;
    this.next = now + 1;
  }

  /** The tick that is at hand while an entry is reported. */
  long tick() {
    return next;
  }

  /** Puts an entry that is not on the wheel where its TIMEOUT says. */
  void add(int handle) {
    int expires = memory.get(handle, ConntrackMemory.TIMEOUT);
    int delta = expires - (int) next;
    if (delta < 0) {
      expires = (int) next;
      delta = 0;
    }
    int level = delta < 1 << 8 ? 0 : delta < 1 << 16 ? 1 : delta < 1 << 24 ? 2 : 3;
    int slot = level * SLOTS + (expires >>> 8 * level & SLOTS - 1);
    int tail = tails[slot];
    memory.setWheelSlot(handle, slot);
    memory.set(handle, ConntrackMemory.WHEEL_NEXT, ~slot);
    if (tail == 0) {
      heads[slot] = handle;
      memory.set(handle, ConntrackMemory.WHEEL_PREVIOUS, ~slot);
      occupied[slot >>> 6] |= 1L << slot;
    } else {
      memory.set(tail, ConntrackMemory.WHEEL_NEXT, handle);
      memory.set(handle, ConntrackMemory.WHEEL_PREVIOUS, tail);
    }
    tails[slot] = handle;
  }

  /** Takes an entry off; nothing when it is not on the wheel. */
  void remove(int handle) {
    int after = memory.get(handle, ConntrackMemory.WHEEL_NEXT);
    int before = memory.get(handle, ConntrackMemory.WHEEL_PREVIOUS);
    if (after == 0) {
      return;
    }
    if (before < 0) {
      heads[~before] = after < 0 ? 0 : after;
    } else {
      memory.set(before, ConntrackMemory.WHEEL_NEXT, after);
    }
    if (after < 0) {
      tails[~after] = before < 0 ? 0 : before;
      if (before < 0) {
        occupied[~after >>> 6] &= ~(1L << ~after);
      }
    } else {
      memory.set(after, ConntrackMemory.WHEEL_PREVIOUS, before);
    }
    memory.set(handle, ConntrackMemory.WHEEL_NEXT, 0);
    memory.set(handle, ConntrackMemory.WHEEL_PREVIOUS, 0);
  }

  /** The TIMEOUT of an entry on the wheel has become an earlier one. */
  void shorten(int handle) {
    if (memory.get(handle, ConntrackMemory.TIMEOUT) - comes(memory.wheelSlot(handle)) < 0) {
      remove(handle);
      add(handle);
    }
  }

  /** The tick at which the entries of {@code slot} are looked at next. */
  private int comes(int slot) {
    int shift = 8 * (slot / SLOTS);
    int window = (int) (next >>> shift);
    int ahead = slot - window & SLOTS - 1;
    if (ahead == 0 && shift > 0) {
      // The window that has begun was looked at; what is in its slot lies a whole turn ahead.
      ahead = SLOTS;
    }
    return shift == 0 ? (int) next + ahead : window + ahead << shift;
  }

  /** Reports every entry due up to and including tick {@code target}. */
  void advanceTo(long target, Expired expired) {
    while (next <= target) {
      int slot = (int) next & SLOTS - 1;
      if (slot == 0) {
        cascade();
      }
      if ((occupied[slot >>> 6] & 1L << slot) != 0) {
        run(slot, expired);
      }
      next = following();
      if (next > target + 1) {
        next = target + 1;
      }
    }
  }

  /** Entries of coarser levels whose window begins now go to finer ones. */
  private void cascade() {
    int levels = 1;
    while (levels < LEVELS - 1 && (next >>> 8 * levels & SLOTS - 1) == 0) {
      levels++;
    }
    for (int level = levels; level > 0; level--) {
      int slot = level * SLOTS + (int) (next >>> 8 * level & SLOTS - 1);
      // An entry that goes back to this very slot lies a whole turn ahead: stop at the old tail.
      int last = tails[slot];
      for (int handle = heads[slot]; handle > 0; ) {
        int after = memory.get(handle, ConntrackMemory.WHEEL_NEXT);
        remove(handle);
        add(handle);
        if (handle == last) {
          break;
        }
        handle = after;
      }
    }
  }

  private void run(int slot, Expired expired) {
    int tick = (int) next;
    while (heads[slot] != 0) {
      int handle = heads[slot];
      remove(handle);
      if (memory.get(handle, ConntrackMemory.TIMEOUT) - tick > 0) {
        add(handle);
      } else {
        expired.expired(handle);
      }
    }
  }

  /** The next tick at which something may have to be done. */
  private long following() {
    long at = next;
    for (int level = 0; level < LEVELS; level++) {
      int shift = 8 * level;
      int slot = (int) (at >>> shift) & SLOTS - 1;
      int found = nextOccupied(level, slot + 1);
      long window = at >>> shift + 8 << shift + 8;
      if (found >= 0) {
        return window | (long) found << shift;
      }
      if (level == LEVELS - 1 || anyOccupied(level)) {
        return window + (1L << shift + 8);
      }
      // Nothing more in this level: look for the next slot of the coarser one.
    }
    return at + 1;
  }

  private int nextOccupied(int level, int from) {
    for (int slot = from; slot < SLOTS; slot = (slot | 63) + 1) {
      long bits = occupied[level * SLOTS + slot >>> 6] >>> slot;
      if (bits != 0) {
        return slot + Long.numberOfTrailingZeros(bits);
      }
    }
    return -1;
  }

  /** Is anything left that comes around after this level's window? */
  private boolean anyOccupied(int level) {
    for (int word = level * SLOTS >>> 6; word < (level + 1) * SLOTS >>> 6; word++) {
      if (occupied[word] != 0) {
        return true;
      }
    }
    return false;
  }
}
