// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The prefixes of one key that rules ask for: finds the longest one that a value has, from which
 * {@link #parent} leads to the shorter ones.
 *
 * <p>Prefixes lie one in the other or apart. So they cut the line of all values into stretches, in
 * each of which the longest prefix is the same, and a lookup is a search among the stretches'
 * beginnings:
 *
 * <pre>
 *   10.0.0.0/8        [--------------------------)
 *   10.1.0.0/16            [-------)
 *   stretches      none | 0 |   1   |      0     | none
 * </pre>
 */
final class KeyTree {
  private static final int SLOTS = 1 << 18;

  // A node's numbers in {@link #nodes}.
  private static final int PARENT = 0;
  private static final int FROM = 1;
  private static final int STRIDE_SHIFT = 1;

  final PacketKey key;
  private final int mask;

  /** How far a value is shifted to the left, so that all prefixes are of 32 bits. */
  private final int shift;

  /**
   * Of each stretch where it begins, upside down in the highest bit so that they rise with a sign,
   * and its node, -1 for none.
   */
  private final int[] stretches;

  private final int count;

  /** The stretch at the beginning of each 2^slotShift values, so that the search is short. */
  private final int[] slots;

  private final int slotShift;

  /** Of each node its parent, and where its rules begin in {@link #rules}; one more at the end. */
  private final int[] nodes;

  /**
   * The rules of the nodes, one node's behind the other's. A node of many rules has one number
   * instead, {@code ~n} for the nth of {@link #levels}.
   */
  final int[] rules;

  /** How the rules of some nodes are looked up by what else they ask for. */
  final List<IndexLevel> levels = new ArrayList<>();

  /** What becomes of the rules of a node. */
  interface NodeRules {
    /** The rules from {@code from} to before {@code to}; null for a plain list. */
    IndexLevel deeper(int[] rules, int from, int to);
  }

  /**
   * Builds it.
   *
   * @param postings a prefix and a rule each, as {@link #posting} packs them; sorted here
   */
  KeyTree(PacketKey key, int mask, long[] postings, NodeRules nodeRules) {
    this.key = key;
    this.mask = mask;
    this.shift = 32 - key.bits;
    Arrays.sort(postings);
    int[] all = new int[postings.length];
    int prefixes = 0;
    for (int i = 0; i < postings.length; i++) {
      all[i] = ruleOf(postings[i]);
      prefixes += i == 0 || prefixOf(postings[i]) != prefixOf(postings[i - 1]) ? 1 : 0;
    }
    nodes = new int[prefixes + 1 << STRIDE_SHIFT];
    int[] begins = new int[4 * prefixes + 2];
    begins[0] = Integer.MIN_VALUE;
    begins[1] = -1;
    int stretch = 0;
    int node = -1;
    int open = -1;
    int kept = 0;
    int[] last = new int[prefixes];
    for (int from = 0; from < postings.length; ) {
      long prefix = prefixOf(postings[from]);
      int to = from;
      while (to < postings.length && prefixOf(postings[to]) == prefix) {
        to++;
      }
      node++;
      int first = (int) (prefix >> LENGTH_BITS);
      int length = (int) prefix & LENGTH_MASK;
      last[node] = length == 0 ? Integer.MAX_VALUE : first | (int) (0xFFFFFFFFL >>> length);
      while (open >= 0 && last[open] < first) {
        stretch = end(begins, stretch, last[open], parent(open));
        open = parent(open);
      }
      nodes[(node << STRIDE_SHIFT) + PARENT] = open;
      nodes[(node << STRIDE_SHIFT) + FROM] = kept;
      IndexLevel deeper = nodeRules.deeper(all, from, to);
      if (deeper == null) {
        System.arraycopy(all, from, all, kept, to - from);
        kept += to - from;
      } else {
        all[kept++] = ~levels.size();
        levels.add(deeper);
      }
      open = node;
      if (begins[2 * stretch] != first) {
        stretch++;
      }
      begins[2 * stretch] = first;
      begins[2 * stretch + 1] = node;
      from = to;
    }
    for (; open >= 0; open = parent(open)) {
      stretch = end(begins, stretch, last[open], parent(open));
    }
    nodes[(prefixes << STRIDE_SHIFT) + FROM] = kept;
    rules = Arrays.copyOf(all, kept);
    count = stretch + 1;
    stretches = Arrays.copyOf(begins, 2 * count);
    int size = Math.min(SLOTS, Integer.highestOneBit(2 * count));
    int bits = 64 - Long.numberOfLeadingZeros(width());
    slotShift = Math.max(0, bits - Integer.numberOfTrailingZeros(size));
    slots = new int[(int) (width() >>> slotShift) + 2];
    int at = 0;
    for (int slot = 0; slot < slots.length; slot++) {
      long begin = first() + ((long) slot << slotShift);
      while (at + 1 < count && stretches[2 * at + 2] <= begin) {
        at++;
      }
      slots[slot] = at;
    }
  }

  /** Gives the stretch behind {@code last} to {@code node}; returns the last stretch's number. */
  private static int end(int[] begins, int stretch, int last, int node) {
    if (last == Integer.MAX_VALUE) {
      return stretch;
    }
    int at = begins[2 * stretch] == last + 1 ? stretch : stretch + 1;
    begins[2 * at] = last + 1;
    begins[2 * at + 1] = node;
    return at;
  }

  private long first() {
    return stretches[count == 1 ? 0 : 2];
  }

  private long width() {
    return stretches[2 * count - 2] - first();
  }

  /** The node of the longest prefix of {@code value}, -1 for none. */
  int find(int value) {
    int[] stretches = this.stretches;
    int wanted = (value & mask) << shift ^ Integer.MIN_VALUE;
    if (count == 1 || wanted < stretches[2]) {
      return stretches[1];
    }
    if (wanted >= stretches[2 * count - 2]) {
      return stretches[2 * count - 1];
    }
    int slot = wanted - stretches[2] >>> slotShift;
    int low = slots[slot];
    int high = slots[slot + 1];
    while (low < high) {
      int middle = low + high + 1 >>> 1;
      if (stretches[2 * middle] <= wanted) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return stretches[2 * low + 1];
  }

  /** The node of the next shorter prefix, -1 for none. */
  int parent(int node) {
    return nodes[(node << STRIDE_SHIFT) + PARENT];
  }

  /** Where the rules of a node begin in {@link #rules}. */
  int from(int node) {
    return nodes[(node << STRIDE_SHIFT) + FROM];
  }

  /** Where they end. */
  int to(int node) {
    return nodes[(node + 1 << STRIDE_SHIFT) + FROM];
  }

  // ---- prefixes as numbers ----------------------------------------------------------------------

  private static final int RULE_BITS = 24;
  private static final int RULE_MASK = (1 << RULE_BITS) - 1;
  private static final int LENGTH_BITS = 6;
  private static final int LENGTH_MASK = (1 << LENGTH_BITS) - 1;

  /** As many rules as a posting can tell apart. */
  static final int MOST_RULES = 1 << RULE_BITS;

  /** A prefix (see {@link #prefixes}) and the rule that asks for it. */
  static long posting(long prefix, int rule) {
    return prefix << RULE_BITS | rule;
  }

  static int ruleOf(long posting) {
    return (int) posting & RULE_MASK;
  }

  private static long prefixOf(long posting) {
    return posting >> RULE_BITS;
  }

  /** The prefixes that a condition's ranges are cut into, each with its length behind it. */
  static long[] prefixes(Condition condition) {
    int shift = 32 - condition.key().bits;
    int[] ranges = condition.ranges();
    boolean whole = condition.mask() == condition.key().highest();
    long[] found = new long[ranges.length / 2 * (whole ? 62 : 1)];
    int count = 0;
    for (int i = 0; i < ranges.length; i += 2) {
      long low = Integer.toUnsignedLong(ranges[i] << shift);
      long end = Integer.toUnsignedLong(ranges[i + 1] << shift) + (1L << shift);
      while (low < end) {
        int free = low == 0 ? 32 : Long.numberOfTrailingZeros(low);
        int width = 63 - Long.numberOfLeadingZeros(end - low);
        int bits = Math.min(free, width);
        int first = (int) low ^ Integer.MIN_VALUE;
        found[count++] = (long) first << LENGTH_BITS | 32 - bits;
        low += 1L << bits;
      }
    }
    return Arrays.copyOf(found, count);
  }
}
