// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import java.util.Arrays;

/**
 * Heads of hash chains that grow one bucket at a time (linear hashing, Litwin 1980): an insertion
 * into a full table moves one chain, never all of them. The links of a chain lie with whoever
 * subclasses it; so do what a chain's numbers mean (0 is none) and their hash.
 */
public abstract class LinearHash {
  /** 64 KiB: no less than what the launcher has the JVM keep out of the young generation. */
  private static final int CHUNK_SHIFT = 14;

  private static final int CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;

  /** All chunks are whole but the first, which a small table does not need all of. */
  private int[][] heads = new int[4][];

  private int base = 1 << 10;
  private int split;
  private int size;

  /** An empty table. */
  protected LinearHash() {
    heads[0] = new int[base];
  }

  /** A hash of four words, by two rounds of multiplication. */
  public static int mix(int source, int destination, int ports, int rest) {
    long x = ((long) source << 32 | destination & 0xFFFFFFFFL) * 0x9E3779B97F4A7C15L;
    x ^= x >>> 32;
    x = (x + ((long) ports << 32 | rest & 0xFFFFFFFFL)) * 0xBF58476D1CE4E5B9L;
    x ^= x >>> 29;
    return (int) (x * 0x94D049BB133111EBL >>> 32);
  }

  /** Nodes in all chains. */
  public final int size() {
    return size;
  }

  /** Number of buckets now. */
  public final int buckets() {
    return base + split;
  }

  /** The bucket of {@code hash}. */
  public final int bucket(int hash) {
    int bucket = hash & base - 1;
    return bucket < split ? hash & 2 * base - 1 : bucket;
  }

  /** First node of {@code bucket}, 0 for none. */
  public final int head(int bucket) {
    return heads[bucket >>> CHUNK_SHIFT][bucket & CHUNK_MASK];
  }

  private void setHead(int bucket, int node) {
    heads[bucket >>> CHUNK_SHIFT][bucket & CHUNK_MASK] = node;
  }

  /** The node after {@code node} in its chain, 0 for none. */
  protected abstract int next(int node);

  /** Sets {@link #next}. */
  protected abstract void setNext(int node, int next);

  /** The hash under which {@code node} was put in. */
  protected abstract int hash(int node);

  /** Plays hlist_nulls_add_head_rcu. */
  public final void insert(int node, int hash) {
    int bucket = bucket(hash);
    setNext(node, head(bucket));
    setHead(bucket, node);
    if (++size > base + split) {
      grow();
    }
  }

  /** Plays hlist_nulls_del_rcu; false when the node is not there. */
  public final boolean remove(int node, int hash) {
    int bucket = bucket(hash);
    int previous = 0;
    for (int at = head(bucket); at != 0; at = next(at)) {
      if (at == node) {
        if (previous == 0) {
          setHead(bucket, next(node));
        } else {
          setNext(previous, next(node));
        }
        setNext(node, 0);
        size--;
        return true;
      }
      previous = at;
    }
    return false;
  }

  private void grow() {
    int upper = base + split;
    makeRoom(upper);
    int lowerTail = 0;
    int upperTail = 0;
    int node = head(split);
    setHead(split, 0);
    while (node != 0) {
      int next = next(node);
      setNext(node, 0);
      if ((hash(node) & base) == 0) {
        if (lowerTail == 0) {
          setHead(split, node);
        } else {
          setNext(lowerTail, node);
        }
        lowerTail = node;
      } else {
        if (upperTail == 0) {
          setHead(upper, node);
        } else {
          setNext(upperTail, node);
        }
        upperTail = node;
      }
      node = next;
    }
    if (++split == base) {
      base *= 2;
      split = 0;
    }
  }

  private void makeRoom(int bucket) {
    int index = bucket >>> CHUNK_SHIFT;
    if (index == heads.length) {
      heads = Arrays.copyOf(heads, index * 2);
    }
    if (heads[index] == null) {
      heads[index] = new int[1 << CHUNK_SHIFT];
    } else if (bucket == heads[index].length) {
      heads[index] = Arrays.copyOf(heads[index], bucket * 2);
    }
  }
}
