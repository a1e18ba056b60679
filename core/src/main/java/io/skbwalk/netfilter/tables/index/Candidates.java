// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import io.skbwalk.netfilter.tables.PacketContext;
import io.skbwalk.skb.SkBuff;
import java.util.Arrays;

/**
 * The entries of a table that may match one packet, in order; reused for every packet. The trees
 * are searched only when the packet comes to an entry that may be in them.
 */
public final class Candidates {
  private static final int[] NOTHING = {};

  /** Words in which a rule of the trees is looked for before they are searched. */
  private static final int WORDS_AHEAD = 8;

  /** More rules than this are sorted at once, not one by one. */
  private static final int FEW = 24;

  private final RuleIndex index;
  private final PacketKeys keys;

  /** Bitmaps of which an entry must be in each. */
  private final long[][] filters;

  private int filterCount;

  /** Bitmaps of which an entry must be in one, if it is not a hit. */
  private RuleBits[] lists = new RuleBits[8];

  /** Where in each of {@link #lists} the search stands. */
  private int[] positions = new int[8];

  private int listCount;

  /** The word of the lists that {@link #bits} is, -1 for none yet. */
  private int word;

  private long bits;

  private boolean searched;

  /** What the trees had for the packet, sorted; behind them one that is never reached. */
  private int[] hits = new int[64];

  private int hitCount;
  private int hitPosition;

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
    hitCount = 0;
    if (index.isOneWord) {
      lookAtWord(context);
      return;
    }
    int count = 0;
    if (index.in != null) {
      filters[count++] = index.in.of(context.in);
    }
    if (index.out != null) {
      filters[count++] = index.out.of(context.out);
    }
    for (ClassFilter filter : index.filters) {
      if ((keys.known & filter.key.bit) != 0) {
        filters[count++] = filter.of(keys.values[filter.key.ordinal()]);
      }
    }
    filterCount = count;
    lists[0] = index.root.always();
    positions[0] = 0;
    listCount = 1;
    word = -1;
    searched = index.root.trees().length == 0;
  }

  /** Of a table of so few rules that none is in a tree: nothing is left to search. */
  private void lookAtWord(PacketContext context) {
    long left = index.root.always().words[0];
    if (index.in != null) {
      left &= index.in.of(context.in)[0];
    }
    if (index.out != null) {
      left &= index.out.of(context.out)[0];
    }
    for (ClassFilter filter : index.filters) {
      if ((keys.known & filter.key.bit) != 0) {
        left &= filter.of(keys.values[filter.key.ordinal()])[0];
      }
    }
    word = 0;
    bits = left;
    searched = true;
  }

  /** The first candidate from {@code entry} on; the last entry of each chain is one. */
  public int next(int entry) {
    int listed = nextListed(entry);
    if (!searched) {
      if (!mayBeInTrees(entry, listed)) {
        return listed;
      }
      search();
      listed = nextListed(entry);
    }
    return hitCount == 0 ? listed : Math.min(listed, nextHit(entry));
  }

  // ---- what is always tried ---------------------------------------------------------------------

  private int nextListed(int entry) {
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
      found = filtered(found, least);
      if (found != 0) {
        word = least;
        bits = found;
        return;
      }
      from = least + 1;
    }
  }

  private long filtered(long found, int at) {
    for (int i = 0; i < filterCount; i++) {
      found &= filters[i][at];
    }
    return found;
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

  // ---- what the trees have ----------------------------------------------------------------------

  /** Is a rule of the trees, which the filters leave, from {@code from} to before {@code to}? */
  private boolean mayBeInTrees(int from, int to) {
    int last = to >>> 6;
    for (int at = from >>> 6; at <= last; at++) {
      if (at - (from >>> 6) == WORDS_AHEAD) {
        return true;
      }
      long some = index.inTrees[at];
      if (at == from >>> 6) {
        some &= -1L << from;
      }
      if (at == last) {
        some &= (1L << to) - 1;
      }
      if (some != 0 && filtered(some, at) != 0) {
        return true;
      }
    }
    return false;
  }

  private void search() {
    searched = true;
    word = -1;
    searchTrees(index.root);
    if (hitCount > FEW) {
      Arrays.sort(hits, 0, hitCount);
    }
    hits[hitCount] = Integer.MAX_VALUE;
    hitPosition = 0;
  }

  private void search(IndexLevel level) {
    if (level.always() != null) {
      add(level.always());
    }
    searchTrees(level);
  }

  private void searchTrees(IndexLevel level) {
    for (KeyTree tree : level.trees()) {
      if ((keys.known & tree.key.bit) != 0) {
        int node = tree.find(keys.values[tree.key.ordinal()]);
        for (; node >= 0; node = tree.parent(node)) {
          int from = tree.from(node);
          int first = tree.rules[from];
          if (first >= 0) {
            add(tree.rules, from, tree.to(node));
          } else {
            search(tree.levels.get(~first));
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

  private void add(int[] rules, int from, int to) {
    if (hitCount + to - from >= hits.length) {
      hits = Arrays.copyOf(hits, 2 * (hitCount + to - from));
    }
    for (int i = from; i < to; i++) {
      int rule = rules[i];
      if ((filtered(1L << rule, rule >>> 6)) != 0) {
        int at = hitCount++;
        if (at < FEW) {
          for (; at > 0 && hits[at - 1] > rule; at--) {
            hits[at] = hits[at - 1];
          }
        }
        hits[at] = rule;
      }
    }
  }

  private int nextHit(int entry) {
    int at = hitPosition;
    if (at > 0 && hits[at - 1] >= entry) {
      at = Arrays.binarySearch(hits, 0, at, entry);
      at = at < 0 ? -at - 1 : at;
    }
    while (hits[at] < entry) {
      at++;
    }
    hitPosition = at;
    return hits[at];
  }

  // ---- asking -----------------------------------------------------------------------------------

  /** Does a candidate match? Asks what the index has not decided. */
  public boolean matches(int entry, SkBuff skb, PacketContext context) {
    return index.matches(entry, keys, skb, context);
  }

  /** May asking an entry's matches change the packet? */
  public boolean mayChange(int entry) {
    return index.mayChange(entry);
  }
}
