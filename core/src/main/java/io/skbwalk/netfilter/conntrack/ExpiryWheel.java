// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Which entries run out when: a hierarchical timer wheel (Varghese and Lauck 1987) of three levels
 * with 1024 slots each over ticks of the virtual clock. Linux finds expired entries by lookup and
 * by a garbage-collecting worker (gc_worker); here each runs out at its own tick, in the order in
 * which the slots were filled, which two runs share.
 *
 * <p>A renewed timeout moves nothing: the entry is looked at when its old time comes and goes to
 * its new slot then. An earlier time moves it only when its slot would come too late; a connection
 * whose timeout goes up and down with each segment and its acknowledgement stays where it is.
 *
 * <pre>
 *   level 0   1024 slots of a tick            (4 seconds)
 *   level 1   1024 slots of 256 ticks         (17 minutes)
 *   level 2   1024 slots of 131,072 ticks     (6 days; what is later still waits in the last)
 * </pre>
 *
 * <p>A level reaches over two slots of the coarser one and more. So the entries of the coarse slot
 * whose time begins next can go to finer ones while the one before it lasts, a few with each
 * packet: of ten million connections a slot has hundreds of thousands, for which none waits.
 */
final class ExpiryWheel {
  private static final int LEVELS = 3;
  private static final int SLOTS = 1024;

  /** Bits of a tick that tell slots of a level not apart. */
  private static final int[] SHIFTS = {0, 8, 17};

  /** Entries of each level that go to finer ones with a packet. */
  private static final int STEP = 8;

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
    int delta = Math.max(memory.get(handle, ConntrackMemory.TIMEOUT) - (int) next, 0);
    int level = 0;
    int ahead = delta;
    while (ahead >= SLOTS && level < LEVELS - 1) {
      level++;
      ahead = ((int) next & (1 << SHIFTS[level]) - 1) + delta >>> SHIFTS[level];
    }
    int slot = slot(level, Math.min(ahead, SLOTS - 1));
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

  /** The slot of a level that is so many of its slots ahead. */
  private int slot(int level, int ahead) {
    return level * SLOTS + ((int) (next >>> SHIFTS[level]) + ahead & SLOTS - 1);
  }

  /** The tick at which the entries of {@code slot} are looked at. */
  private int comes(int slot) {
    int level = slot / SLOTS;
    int ahead = slot - slot(level, 0) & SLOTS - 1;
    return (int) (next >>> SHIFTS[level]) + ahead << SHIFTS[level];
  }

  /** Reports every entry due up to and including tick {@code target}. */
  void advanceTo(long target, Expired expired) {
    while (next <= target) {
      for (int level = LEVELS - 1; level > 0; level--) {
        if ((next & (1 << SHIFTS[level]) - 1) == 0) {
          refine(slot(level, 0), Integer.MAX_VALUE);
        }
      }
      int slot = slot(0, 0);
      if ((occupied[slot >>> 6] & 1L << slot) != 0) {
        run(slot, expired);
      }
      next = Math.min(following(), target + 1);
    }
    for (int level = LEVELS - 1; level > 0; level--) {
      refine(slot(level, 1), STEP);
    }
  }

  /** Up to so many entries of a coarse slot go to where their TIMEOUT says now. */
  private void refine(int slot, int most) {
    for (int i = 0; i < most && heads[slot] != 0; i++) {
      int handle = heads[slot];
      remove(handle);
      add(handle);
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

  /** The next tick at which something has to be done. */
  private long following() {
    long soonest = Long.MAX_VALUE;
    for (int level = 0; level < LEVELS; level++) {
      long window = next >>> SHIFTS[level];
      if (window + 1 << SHIFTS[level] >= soonest) {
        break;
      }
      int ahead = nextOccupied(level);
      if (ahead > 0) {
        soonest = Math.min(soonest, window + ahead << SHIFTS[level]);
      }
    }
    return soonest;
  }

  /** How many slots of a level the next one with entries is ahead; 0 when there is none. */
  private int nextOccupied(int level) {
    int first = slot(level, 0);
    for (int ahead = 1; ahead < SLOTS; ) {
      int slot = level * SLOTS + (first + ahead & SLOTS - 1);
      long bits = occupied[slot >>> 6] >>> slot;
      if (bits != 0) {
        ahead += Long.numberOfTrailingZeros(bits);
        return ahead < SLOTS ? ahead : 0;
      }
      ahead += 64 - (slot & 63);
    }
    return 0;
  }
}
