// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import java.util.Arrays;

/**
 * The prefixes of one key that rules ask for: finds the longest one that a value has, from which
 * {@link #parents} lead to the shorter ones.
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

  final PacketKey key;

  /** By node: the next shorter prefix that contains it, -1 for none. */
  final int[] parents;

  /** By node: the rules that ask for it, where {@link #deeper} has none. */
  final RuleBits[] rules;

  /** By node: where there are so many that what else they ask for is looked up. */
  final IndexLevel[] deeper;

  private final int mask;

  /** How far a value is shifted to the left, so that all prefixes are of 32 bits. */
  private final int shift;

  /** Where each stretch begins, upside down in the highest bit so that they rise with a sign. */
  private final int[] starts;

  /** The node of each stretch, -1 for none. */
  private final int[] nodes;

  /** The stretch at the beginning of each 2^slotShift values, so that the search is short. */
  private final int[] slots;

  private final int slotShift;

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
    int[] ruleOf = new int[postings.length];
    int count = 0;
    for (int i = 0; i < postings.length; i++) {
      ruleOf[i] = ruleOf(postings[i]);
      count += i == 0 || prefixOf(postings[i]) != prefixOf(postings[i - 1]) ? 1 : 0;
    }
    parents = new int[count];
    rules = new RuleBits[count];
    deeper = new IndexLevel[count];
    int[] begins = new int[2 * count + 1];
    int[] nodeOf = new int[2 * count + 1];
    begins[0] = Integer.MIN_VALUE;
    nodeOf[0] = -1;
    int stretch = 0;
    int node = -1;
    int open = -1;
    int[] last = new int[count];
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
        stretch = end(begins, nodeOf, stretch, last[open], parents[open]);
        open = parents[open];
      }
      parents[node] = open;
      open = node;
      if (begins[stretch] != first) {
        stretch++;
      }
      begins[stretch] = first;
      nodeOf[stretch] = node;
      deeper[node] = nodeRules.deeper(ruleOf, from, to);
      rules[node] = deeper[node] == null ? new RuleBits(ruleOf, from, to) : null;
      from = to;
    }
    for (; open >= 0; open = parents[open]) {
      stretch = end(begins, nodeOf, stretch, last[open], parents[open]);
    }
    starts = Arrays.copyOf(begins, stretch + 1);
    nodes = Arrays.copyOf(nodeOf, stretch + 1);
    int size = Math.min(SLOTS, Integer.highestOneBit(2 * starts.length));
    int bits = 64 - Long.numberOfLeadingZeros(width());
    slotShift = Math.max(0, bits - Integer.numberOfTrailingZeros(size));
    slots = new int[(int) (width() >>> slotShift) + 2];
    int at = 0;
    for (int slot = 0; slot < slots.length; slot++) {
      long begin = first() + ((long) slot << slotShift);
      while (at + 1 < starts.length && starts[at + 1] <= begin) {
        at++;
      }
      slots[slot] = at;
    }
  }

  /**
   * The stretch behind {@code last} belongs to {@code node}; the new number of the last stretch.
   */
  private static int end(int[] begins, int[] nodeOf, int stretch, int last, int node) {
    if (last == Integer.MAX_VALUE) {
      return stretch;
    }
    int at = begins[stretch] == last + 1 ? stretch : stretch + 1;
    begins[at] = last + 1;
    nodeOf[at] = node;
    return at;
  }

  private long first() {
    return starts[Math.min(1, starts.length - 1)];
  }

  private long width() {
    return starts[starts.length - 1] - first();
  }

  /** The longest prefix of {@code value}, -1 for none. */
  int find(int value) {
    int wanted = (value & mask) << shift ^ Integer.MIN_VALUE;
    int count = starts.length;
    if (count == 1 || wanted < starts[1]) {
      return nodes[0];
    }
    if (wanted >= starts[count - 1]) {
      return nodes[count - 1];
    }
    int slot = wanted - starts[1] >>> slotShift;
    int low = slots[slot];
    int high = slots[slot + 1];
    while (low < high) {
      int middle = low + high + 1 >>> 1;
      if (starts[middle] <= wanted) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return nodes[low];
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
