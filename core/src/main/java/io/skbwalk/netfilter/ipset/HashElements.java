// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

import io.skbwalk.lib.Jhash;
import java.util.Arrays;

/**
 * Plays the elements of a hash type (struct hash_net4_elem and its kin) in flat arrays by their
 * number: the words that are hashed and compared, interface, nomatch; and the one that is looked
 * for.
 */
final class HashElements {
  private final KeyLayout layout;
  private final int initval;
  private final Extensions extensions;

  /** Do elements have an interface? */
  final boolean interfaces;

  private int[] keys = {};
  private boolean[] exceptions = {};
  private String[] ifaces = {};
  private boolean[] wildcards = {};
  private int allocated;
  private int freeElement = -1;
  private int[] nextFree = {};

  /** Words of the one that is looked for. */
  private final int[] key;

  /** Elements with the network that is looked for, whatever their interface ("multi" in Linux). */
  int sameNetwork;

  HashElements(KeyLayout layout, boolean interfaces, int initval, Extensions extensions) {
    this.layout = layout;
    this.interfaces = interfaces;
    this.initval = initval;
    this.extensions = extensions;
    key = new int[layout.words];
  }

  // ---- the one that is looked for ---------------------------------------------------------------

  void lookFor(SetEntry entry) {
    layout.pack(entry, key);
  }

  int hashOfKey() {
    return Jhash.hash2(key, 0, layout.words, initval);
  }

  /** Plays mtype_data_equal: is it the one that is looked for? */
  boolean isSame(int element, String iface) {
    int at = element * layout.words;
    for (int i = 0; i < layout.words; i++) {
      if (keys[at + i] != key[i]) {
        return false;
      }
    }
    if (!interfaces) {
      return true;
    }
    // Linux looks no further for shorter prefixes once a network is there with any interface.
    sameNetwork++;
    return wildcards[element] ? iface.startsWith(ifaces[element]) : iface.equals(ifaces[element]);
  }

  /** {@code element} becomes the one that is looked for, which is {@code entry}. */
  void put(int element, SetEntry entry) {
    System.arraycopy(key, 0, keys, element * layout.words, layout.words);
    exceptions[element] = entry.nomatch;
    if (interfaces) {
      ifaces[element] = entry.iface;
      wildcards[element] = entry.wildcard;
    }
  }

  // ---- those that there are ---------------------------------------------------------------------

  int hash(int element) {
    return Jhash.hash2(keys, element * layout.words, layout.words, initval);
  }

  /** The length of its network {@code i}, 0 or 1. */
  int prefixLength(int element, int i) {
    return layout.prefixLength(keys, element * layout.words, i);
  }

  /** Is it marked nomatch? */
  boolean isException(int element) {
    return exceptions[element];
  }

  void setException(int element, boolean nomatch) {
    exceptions[element] = nomatch;
  }

  boolean isWildcard(int element) {
    return wildcards[element];
  }

  void show(int element, SetEntry into) {
    layout.unpack(keys, element * layout.words, into);
    into.iface = interfaces ? ifaces[element] : null;
  }

  /** A number for a new element. */
  int allocate() {
    if (freeElement >= 0) {
      int element = freeElement;
      freeElement = nextFree[element];
      return element;
    }
    if (allocated == exceptions.length) {
      int capacity = Math.max(8, allocated + (allocated >> 1));
      keys = Arrays.copyOf(keys, capacity * layout.words);
      exceptions = Arrays.copyOf(exceptions, capacity);
      nextFree = Arrays.copyOf(nextFree, capacity);
      if (interfaces) {
        ifaces = Arrays.copyOf(ifaces, capacity);
        wildcards = Arrays.copyOf(wildcards, capacity);
      }
      extensions.ensure(capacity);
    }
    return allocated++;
  }

  /** Its number is free again. */
  void release(int element) {
    extensions.clear(element);
    nextFree[element] = freeElement;
    freeElement = element;
  }
}
