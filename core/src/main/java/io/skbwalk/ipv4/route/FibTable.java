// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import io.skbwalk.lib.Ip4;
import java.util.ArrayList;
import java.util.List;

/**
 * Plays struct fib_table and fib_trie.c: the routes of one table by longest prefix.
 *
 * <p>One hash per prefix length in use, asked from the longest to the shortest; a bit mask names
 * the lengths in use, so that a usual table costs three or four probes. What a destination's
 * packets were answered last is remembered, since they come in trains. A lookup allocates nothing.
 */
final class FibTable {
  /** -EAGAIN: nothing here fits, ask the next rule. */
  static final int NO_MATCH = -11;

  private static final class Length {
    int[] keys = new int[8];
    FibRoute[] heads = new FibRoute[8];
    int size;

    private static int hash(int key) {
      int h = key * 0x9E3779B1;
      return h ^ h >>> 15;
    }

    FibRoute head(int key) {
      int mask = heads.length - 1;
      for (int slot = hash(key) & mask; heads[slot] != null; slot = slot + 1 & mask) {
        if (keys[slot] == key) {
          return heads[slot];
        }
      }
      return null;
    }

    void setHead(int key, FibRoute head) {
      int mask = heads.length - 1;
      int slot = hash(key) & mask;
      while (heads[slot] != null && keys[slot] != key) {
        slot = slot + 1 & mask;
      }
      boolean added = heads[slot] == null;
      keys[slot] = key;
      heads[slot] = head;
      if (added && ++size * 2 > heads.length) {
        int[] oldKeys = keys;
        FibRoute[] oldHeads = heads;
        keys = new int[oldKeys.length * 2];
        heads = new FibRoute[oldHeads.length * 2];
        size = 0;
        for (int i = 0; i < oldHeads.length; i++) {
          if (oldHeads[i] != null) {
            setHead(oldKeys[i], oldHeads[i]);
          }
        }
      }
    }
  }

  private final Length[] lengths = new Length[33];
  private static final int RECENT = 1 << 12;

  private long inUse;

  /** Is the destination all that a route is chosen by? */
  private boolean plain = true;

  /** Answers of {@link #lookup} by destination; made with the first, forgotten with each insert. */
  private FibRoute[] recent;

  private int[] recentKeys;
  private final List<FibRoute> routes = new ArrayList<>();

  /** All routes in the order of their coming. */
  List<FibRoute> routes() {
    return routes;
  }

  /**
   * Plays fib_table_lookup.
   *
   * @param tos type of service of the packet
   * @param scope routes of a smaller scope do not count
   * @param oif only routes by this interface; 0 for all
   * @return 0 with {@code result} filled, {@link #NO_MATCH}, or the negative errno of an error
   *     route
   */
  int lookup(int daddr, int tos, int scope, int oif, FibResult result) {
    if (!plain || scope != 0 || oif != 0) {
      return search(daddr, tos, scope, oif, result);
    }
    if (recent == null) {
      recent = new FibRoute[RECENT];
      recentKeys = new int[RECENT];
    }
    int slot = Length.hash(daddr) & RECENT - 1;
    FibRoute route = recent[slot];
    if (route != null && recentKeys[slot] == daddr) {
      result.route = route;
      result.type = route.type;
      return 0;
    }
    int error = search(daddr, tos, 0, 0, result);
    if (error == 0) {
      recent[slot] = result.route;
      recentKeys[slot] = daddr;
    }
    return error;
  }

  private int search(int daddr, int tos, int scope, int oif, FibResult result) {
    for (long left = inUse; left != 0; ) {
      int length = 63 - Long.numberOfLeadingZeros(left);
      left ^= 1L << length;
      FibRoute route = lengths[length].head(daddr & Ip4.mask(length));
      for (; route != null; route = route.next) {
        // Routes are compared with the old TOS bits only (fib_dscp_masked_match).
        if (route.tos != 0 && route.tos != (tos & 0x1C) || route.scope < scope) {
          continue;
        }
        int error = route.lookupError();
        if (error != 0) {
          result.route = route;
          result.type = route.type;
          return error;
        }
        if (oif != 0 && (route.dev == null || route.dev.ifindex != oif)) {
          continue;
        }
        result.route = route;
        result.type = route.type;
        return 0;
      }
    }
    return NO_MATCH;
  }

  /** The route that {@code ip route add} would collide with, or null. */
  FibRoute same(FibRoute like) {
    Length length = lengths[like.prefixLength];
    FibRoute route = length == null ? null : length.head(like.destination);
    for (; route != null; route = route.next) {
      if (route.table == like.table && route.tos == like.tos && route.metric == like.metric) {
        return route;
      }
    }
    return null;
  }

  /**
   * Plays fib_insert_alias: behind those of a greater table or TOS, and of a smaller or equal
   * metric.
   */
  void insert(FibRoute route) {
    routes.add(route);
    recent = null;
    plain &= route.tos == 0;
    inUse |= 1L << route.prefixLength;
    Length length = lengths[route.prefixLength];
    if (length == null) {
      lengths[route.prefixLength] = length = new Length();
    }
    FibRoute head = length.head(route.destination);
    FibRoute before = null;
    FibRoute after = head;
    while (after != null && !precedes(route, after)) {
      before = after;
      after = after.next;
    }
    route.next = after;
    if (before == null) {
      length.setHead(route.destination, route);
    } else {
      before.next = route;
    }
  }

  private static boolean precedes(FibRoute route, FibRoute other) {
    if (route.table != other.table) {
      return Integer.compareUnsigned(route.table, other.table) > 0;
    }
    if (route.tos != other.tos) {
      return route.tos > other.tos;
    }
    return Integer.compareUnsigned(route.metric, other.metric) < 0;
  }
}
