// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import java.util.Arrays;

/**
 * Plays a kmem_cache: objects of one size, a power of two of 32-bit words, in chunks that are added
 * one at a time, so that growing copies nothing. An object is an {@code int} handle from 1; a freed
 * handle is the next to be given out.
 */
class Slab {
  static final int CHUNK_SHIFT = 11;
  static final int CHUNK_MASK = (1 << CHUNK_SHIFT) - 1;

  private final int wordShift;
  private int[][] chunks = new int[16][];
  private int used;
  private int freeList;

  /** Empty, and without memory until the first object. */
  Slab(int wordShift) {
    this.wordShift = wordShift;
  }

  /** Every handle ever given out is at most this. */
  final int highest() {
    return used;
  }

  final int get(int handle, int word) {
    return chunks[handle >>> CHUNK_SHIFT][(handle & CHUNK_MASK) << wordShift | word];
  }

  final void set(int handle, int word, int value) {
    chunks[handle >>> CHUNK_SHIFT][(handle & CHUNK_MASK) << wordShift | word] = value;
  }

  /** The chunk that {@code handle} lies in, for several accesses at once. */
  final int[] chunk(int handle) {
    return chunks[handle >>> CHUNK_SHIFT];
  }

  /** Plays kmem_cache_alloc: an object of zeroes. */
  final int allocate() {
    int handle = freeList;
    if (handle != 0) {
      freeList = get(handle, 0);
      int at = (handle & CHUNK_MASK) << wordShift;
      Arrays.fill(chunk(handle), at, at + (1 << wordShift), 0);
      return handle;
    }
    handle = ++used;
    int index = handle >>> CHUNK_SHIFT;
    if (index == chunks.length) {
      chunks = Arrays.copyOf(chunks, index * 2);
    }
    if (chunks[index] == null) {
      chunks[index] = new int[1 << CHUNK_SHIFT + wordShift];
    }
    return handle;
  }

  /** Plays kmem_cache_free. */
  final void free(int handle) {
    set(handle, 0, freeList);
    freeList = handle;
  }
}
