// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.ipset;

/**
 * Plays struct net_prefixes: which prefix lengths a set's networks have, longest first, and how
 * many networks have each. A packet is looked up once for each length.
 */
final class PrefixLengths {
  private final int[] counts = new int[129];
  private final int[] lengths = new int[129];
  private int size;

  int size() {
    return size;
  }

  /** Number {@code index} from 0, the longest first. */
  int get(int index) {
    return lengths[index];
  }

  /** Plays INIT_CIDR: the longest, or that of a host when there is none. */
  int longest(int host) {
    return size == 0 ? host : lengths[0];
  }

  /** Plays mtype_add_cidr. */
  void add(int length) {
    if (counts[length]++ > 0) {
      return;
    }
    int at = size++;
    for (; at > 0 && lengths[at - 1] < length; at--) {
      lengths[at] = lengths[at - 1];
    }
    lengths[at] = length;
  }

  /** Plays mtype_del_cidr. */
  void remove(int length) {
    if (counts[length] == 0 || --counts[length] > 0) {
      return;
    }
    int at = 0;
    while (lengths[at] != length) {
      at++;
    }
    size--;
    for (; at < size; at++) {
      lengths[at] = lengths[at + 1];
    }
  }

  void clear() {
    java.util.Arrays.fill(counts, 0);
    size = 0;
  }
}
