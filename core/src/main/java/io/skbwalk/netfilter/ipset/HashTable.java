// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import java.util.Arrays;

/**
 * Plays struct htable and struct hbucket: buckets that are short arrays of elements, which grow and
 * shrink by two places. Places of deleted elements stay until there are two of them in a bucket,
 * and are filled again first; that is what decides the order of a listing.
 *
 * <p>All buckets lie in one array of words. A bucket is a header of three and its places:
 *
 * <pre>
 *  word 0          1          2          3 ...
 *  size | pos&lt;&lt;8   used bits  used bits  element + 1 of each place, 0 for none yet
 * </pre>
 */
final class HashTable {
  /** AHASH_INIT_SIZE. */
  static final int STEP = 2;

  /** AHASH_MAX_TUNED. */
  static final int LONGEST = 64;

  private static final int HEADER = 3;

  /** HTABLE_REGION_BITS: a lock, and a count of elements, for each so many buckets. */
  private static final int REGION_BITS = 10;

  final int bits;
  private final int[] heads;
  private final int[] regionElements;
  private int[] words = new int[1 << 8];
  private int end = 1;

  /** First free block of each size, linked by its first word. */
  private final int[] free = new int[LONGEST / STEP + 1];

  HashTable(int bits) {
    this.bits = bits;
    heads = new int[1 << bits];
    regionElements = new int[bits < REGION_BITS ? 1 : 1 << bits - REGION_BITS];
  }

  int regions() {
    return regionElements.length;
  }

  int region(int bucket) {
    return bucket >>> REGION_BITS;
  }

  int firstBucket(int region) {
    return region << REGION_BITS;
  }

  int lastBucket(int region) {
    return Math.min(heads.length, region + 1 << REGION_BITS) - 1;
  }

  int elements(int region) {
    return regionElements[region];
  }

  int elements() {
    int all = 0;
    for (int some : regionElements) {
      all += some;
    }
    return all;
  }

  void count(int bucket, int more) {
    regionElements[region(bucket)] += more;
  }

  int buckets() {
    return heads.length;
  }

  /** The bucket's block, 0 when it has none. */
  int block(int bucket) {
    return heads[bucket];
  }

  int size(int block) {
    return words[block] & 0xFF;
  }

  /** Places that were ever filled. */
  int pos(int block) {
    return words[block] >>> 8;
  }

  void setPos(int block, int pos) {
    words[block] = size(block) | pos << 8;
  }

  boolean isUsed(int block, int place) {
    return (words[block + 1 + (place >>> 5)] & 1 << place) != 0;
  }

  void setUsed(int block, int place, boolean used) {
    if (used) {
      words[block + 1 + (place >>> 5)] |= 1 << place;
    } else {
      words[block + 1 + (place >>> 5)] &= ~(1 << place);
    }
  }

  /** The element in a place, also when it was deleted; -1 when none was ever there. */
  int element(int block, int place) {
    return words[block + HEADER + place] - 1;
  }

  void setElement(int block, int place, int element) {
    words[block + HEADER + place] = element + 1;
  }

  /** Gives a bucket, which has none, its first block. */
  int open(int bucket) {
    heads[bucket] = allocate(STEP);
    return heads[bucket];
  }

  /** Gives a full bucket two places more. */
  int grow(int bucket) {
    int old = heads[bucket];
    int size = size(old);
    int block = allocate(size + STEP);
    System.arraycopy(words, old + 1, words, block + 1, HEADER - 1 + size);
    setPos(block, pos(old));
    release(old);
    heads[bucket] = block;
    return block;
  }

  /** Takes two places away and closes the gaps; the elements of gaps must be released before. */
  void shrink(int bucket) {
    int old = heads[bucket];
    int block = allocate(size(old) - STEP);
    int filled = 0;
    for (int place = 0; place < pos(old); place++) {
      if (isUsed(old, place)) {
        setElement(block, filled, element(old, place));
        setUsed(block, filled++, true);
      }
    }
    setPos(block, filled);
    release(old);
    heads[bucket] = block;
  }

  /** Takes a bucket's block away. */
  void close(int bucket) {
    release(heads[bucket]);
    heads[bucket] = 0;
  }

  private int allocate(int size) {
    int block = free[size / STEP];
    if (block != 0) {
      free[size / STEP] = words[block];
      Arrays.fill(words, block, block + HEADER + size, 0);
    } else {
      block = end;
      end += HEADER + size;
      if (end > words.length) {
        words = Arrays.copyOf(words, Math.max(end, words.length + (words.length >> 1)));
      }
    }
    words[block] = size;
    return block;
  }

  private void release(int block) {
    int list = size(block) / STEP;
    words[block] = free[list];
    free[list] = block;
  }
}
