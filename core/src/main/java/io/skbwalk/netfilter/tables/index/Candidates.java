// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/** The entries of a table that may match one packet, in order; reused for every packet. */
public final class Candidates {
  private final RuleIndex index;
  private final PacketKeys keys;

  /** Bitmaps of which an entry must be in each. */
  private final long[][] filters;

  private int filterCount;

  /** Bitmaps of which an entry must be in one. */
  private RuleBits[] lists = new RuleBits[8];

  /** Where in each of {@link #lists} the search stands. */
  private int[] positions = new int[8];

  private int listCount;

  /** The word that {@link #bits} is, -1 for none yet. */
  private int word;

  private long bits;

  /** Entries of a table's index. */
  public Candidates(RuleIndex index) {
    this.index = index;
    keys = new PacketKeys(index.asked);
    filters = new long[index.filters.length + 2][];
  }

  /**
   * Begins with a packet.
   *
   * @return false when it is one whose every rule must be asked
   */
  public boolean begin(SkBuff skb, PacketContext context) {
    if (PacketKeys.isPlain(skb, context)) {
      return false;
    }
    keys.read(skb, context);
    look(context);
    return true;
  }

  /** Looks again at a packet that may have been changed; as {@link #begin}. */
  public boolean again(SkBuff skb, PacketContext context) {
    if (PacketKeys.isPlain(skb, context)) {
      return false;
    }
    if (keys.read(skb, context)) {
      look(context);
    }
    return true;
  }

  private void look(PacketContext context) {
    filterCount = 0;
    if (index.in != null) {
      filters[filterCount++] = index.in.of(context.in);
    }
    if (index.out != null) {
      filters[filterCount++] = index.out.of(context.out);
    }
    for (ClassFilter filter : index.filters) {
      if ((keys.known & filter.key.bit) != 0) {
        filters[filterCount++] = filter.of(keys.values[filter.key.ordinal()]);
      }
    }
    listCount = 0;
    word = -1;
    collect(index.root);
  }

  private void collect(IndexLevel level) {
    if (level.always() != null) {
      add(level.always());
    }
    for (KeyTree tree : level.trees()) {
      if ((keys.known & tree.key.bit) != 0) {
        int node = tree.find(keys.values[tree.key.ordinal()]);
        for (; node >= 0; node = tree.parents[node]) {
          if (tree.deeper[node] == null) {
            add(tree.rules[node]);
          } else {
            collect(tree.deeper[node]);
          }
        }
      }
    }
  }

  private void add(RuleBits list) {
    if (listCount == lists.length) {
      lists = Arrays.copyOf(lists, 2 * listCount);
      positions = Arrays.copyOf(positions, 2 * listCount);
    }
    lists[listCount] = list;
    positions[listCount++] = 0;
  }

  /** The first candidate from {@code entry} on; the last entry of each chain is one. */
  public int next(int entry) {
    int wanted = entry >>> 6;
    if (wanted != word) {
      load(wanted);
    }
    long left = word == wanted ? bits & -1L << entry : bits;
    while (left == 0) {
      load(word + 1);
      left = bits;
    }
    return word << 6 | Long.numberOfTrailingZeros(left);
  }

  /** Makes the first word from {@code from} on that has a bit the one at hand. */
  private void load(int from) {
    while (true) {
      int least = Integer.MAX_VALUE;
      long found = 0;
      for (int i = 0; i < listCount; i++) {
        int[] at = lists[i].at;
        int position = positions[i];
        if (position > 0 && at[position - 1] >= from) {
          position = 0;
        }
        position = seek(at, position, from);
        positions[i] = position;
        if (position < at.length && at[position] <= least) {
          found = (at[position] < least ? 0 : found) | lists[i].words[position];
          least = at[position];
        }
      }
      for (int i = 0; i < filterCount; i++) {
        found &= filters[i][least];
      }
      if (found != 0) {
        word = least;
        bits = found;
        return;
      }
      from = least + 1;
    }
  }

  /** The first position from {@code position} on whose word is not before {@code from}. */
  private static int seek(int[] at, int position, int from) {
    if (position == at.length || at[position] >= from) {
      return position;
    }
    int low = position + 1;
    int step = 1;
    while (low < at.length && at[low] < from) {
      low += step;
      step <<= 1;
    }
    int high = Math.min(low, at.length);
    low -= step >> 1;
    low = Math.max(low, position + 1);
    while (low < high) {
      int middle = low + high >>> 1;
      if (at[middle] < from) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Does a candidate match? Asks what the index has not decided. */
  public boolean matches(int entry, SkBuff skb, PacketContext context) {
    return index.matches(entry, keys, skb, context);
  }

  /** May asking an entry's matches change the packet? */
  public boolean mayChange(int entry) {
    return index.mayChange(entry);
  }
}
