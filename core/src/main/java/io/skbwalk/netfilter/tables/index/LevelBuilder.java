// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Decides by which key each rule is looked up, and builds the trees. */
final class LevelBuilder {
  /** How often a rule may be looked up by one more key. */
  private static final int DEEPEST = 4;

  /** A node of more rules keeps them as a bitmap. */
  private static final int PLAIN = 12;

  private static final KeyTree[] NO_TREES = {};

  /** Masks of one key that are no prefixes and are looked up all the same. */
  private static final int MASKS = 8;

  /** Postings for each rule that the trees may hold in all, so that memory is linear. */
  private static final int POSTINGS_A_RULE = 64;

  /** A condition that at least one rule has. */
  static final class Shared {
    final Condition condition;
    final double part;

    /** How many rules of the level have it. */
    int rules;

    private long[] prefixes;

    Shared(Condition condition) {
      this.condition = condition;
      part = Math.min(1, condition.part());
    }

    long[] prefixes() {
      if (prefixes == null) {
        prefixes = KeyTree.prefixes(condition);
      }
      return prefixes;
    }
  }

  /** The postings of one tree while they are collected. */
  private static final class Postings {
    final PacketKey key;
    final int mask;
    long[] postings = new long[16];
    int count;
    int rules;

    Postings(PacketKey key, int mask) {
      this.key = key;
      this.mask = mask;
    }

    void add(long[] prefixes, int rule) {
      rules++;
      if (count + prefixes.length > postings.length) {
        postings = Arrays.copyOf(postings, Math.max(2 * count, count + prefixes.length));
      }
      for (long prefix : prefixes) {
        postings[count++] = KeyTree.posting(prefix, rule);
      }
    }
  }

  /** By rule: what it may be looked up by. */
  private final Shared[][] conditions;

  /** So few rules are tried one by one rather than looked up. */
  private final int few;

  private long postingsLeft;

  LevelBuilder(Shared[][] conditions, int few) {
    this.conditions = conditions;
    this.few = few;
    postingsLeft = (long) POSTINGS_A_RULE * conditions.length;
  }

  /** All of them. */
  IndexLevel root() {
    int[] all = new int[conditions.length];
    Arrays.setAll(all, rule -> rule);
    return level(all, 0, 0);
  }

  /**
   * Builds a level.
   *
   * @param rules in order
   * @param used bits of the keys that they have been looked up by already
   */
  private IndexLevel level(int[] rules, int used, int depth) {
    int[] byKey = count(rules, used);
    Map<Long, Postings> trees = new HashMap<>();
    BitSet always = new BitSet();
    for (int rule : rules) {
      Shared best = best(conditions[rule], byKey, used);
      if (best == null) {
        always.set(rule);
        continue;
      }
      Condition asked = best.condition;
      post(trees, asked.key(), best, rule);
      if (asked.other() != null) {
        post(trees, asked.other(), best, rule);
      }
    }
    List<Postings> built = kept(trees, always);
    int[] rest = always.stream().toArray();
    KeyTree[] found = new KeyTree[built.size()];
    for (int i = 0; i < found.length; i++) {
      Postings one = built.get(i);
      postingsLeft -= one.count;
      long[] postings = Arrays.copyOf(one.postings, one.count);
      found[i] =
          new KeyTree(
              one.key,
              one.mask,
              postings,
              (all, from, to) -> deeper(all, from, to, used | one.key.bit, depth + 1));
    }
    return new IndexLevel(rest.length == 0 ? null : new RuleBits(rest, 0, rest.length), found);
  }

  private IndexLevel deeper(int[] rules, int from, int to, int used, int depth) {
    if (to - from <= Math.min(few, PLAIN)) {
      return null;
    }
    int[] some = Arrays.stream(rules, from, to).distinct().toArray();
    if (depth < DEEPEST && postingsLeft > 0) {
      IndexLevel level = level(some, used, depth);
      if (level.trees().length > 0) {
        return level;
      }
    }
    return some.length <= PLAIN
        ? null
        : new IndexLevel(new RuleBits(some, 0, some.length), NO_TREES);
  }

  /** Counts in the level how many rules have each condition and, returned, one on each key. */
  private int[] count(int[] rules, int used) {
    int[] byKey = new int[PacketKey.values().length];
    for (int rule : rules) {
      for (Shared shared : conditions[rule]) {
        shared.rules = 0;
      }
    }
    for (int rule : rules) {
      for (Shared shared : conditions[rule]) {
        if (isFree(shared.condition, used)) {
          shared.rules++;
          byKey[shared.condition.key().ordinal()]++;
        }
      }
    }
    return byKey;
  }

  private static boolean isFree(Condition condition, int used) {
    PacketKey other = condition.other();
    return (condition.key().bit & used) == 0 && (other == null || (other.bit & used) == 0);
  }

  /** The condition that the fewest others seem to share: those that are the same, or overlap. */
  private static Shared best(Shared[] conditions, int[] byKey, int used) {
    Shared best = null;
    double least = 0;
    for (Shared shared : conditions) {
      Condition asked = shared.condition;
      if (isFree(asked, used)) {
        double expected = shared.rules + shared.part * byKey[asked.key().ordinal()];
        if (best == null || expected < least) {
          best = shared;
          least = expected;
        }
      }
    }
    return best;
  }

  private static void post(Map<Long, Postings> trees, PacketKey key, Shared shared, int rule) {
    int mask = shared.condition.mask();
    trees
        .computeIfAbsent(
            (long) key.ordinal() << 32 | mask & 0xFFFFFFFFL, made -> new Postings(key, mask))
        .add(shared.prefixes(), rule);
  }

  /** The trees that are worth it; the rules of the others join {@code always}. */
  private List<Postings> kept(Map<Long, Postings> trees, BitSet always) {
    List<Postings> sorted = new ArrayList<>(trees.values());
    sorted.sort(
        Comparator.<Postings>comparingInt(one -> -one.rules)
            .thenComparing(one -> one.key)
            .thenComparingInt(one -> one.mask));
    List<Postings> kept = new ArrayList<>();
    int[] masks = new int[PacketKey.values().length];
    for (Postings one : sorted) {
      boolean whole = one.mask == one.key.highest();
      if (one.rules > few && (whole || masks[one.key.ordinal()]++ < MASKS)) {
        kept.add(one);
      } else {
        for (int i = 0; i < one.count; i++) {
          always.set(KeyTree.ruleOf(one.postings[i]));
        }
      }
    }
    return kept;
  }
}
