// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import java.util.Arrays;

/**
 * Plays struct fib_nh_exception and its hash: what ICMP has taught about single destinations of a
 * route, each as an {@link Rtable} of its own. A handful; looked through one by one.
 */
final class NextHopExceptions {
  /** Kept per route; the oldest gives way. */
  private static final int LIMIT = 1024;

  private int[] destinations = new int[4];
  private Rtable[] routes = new Rtable[4];
  private int size;
  private int oldest;

  /** Plays find_exception: what holds for {@code destination} at {@code now}, or null. */
  Rtable find(int destination, long now) {
    for (int i = 0; i < size; i++) {
      if (destinations[i] == destination) {
        return now < routes[i].expires ? routes[i] : null;
      }
    }
    return null;
  }

  void put(int destination, Rtable route) {
    int at = 0;
    while (at < size && destinations[at] != destination) {
      at++;
    }
    if (at == LIMIT) {
      at = oldest;
      oldest = (oldest + 1) % LIMIT;
    } else if (at == size) {
      if (size == routes.length) {
        destinations = Arrays.copyOf(destinations, size * 2);
        routes = Arrays.copyOf(routes, size * 2);
      }
      size++;
    }
    destinations[at] = destination;
    routes[at] = route;
  }
}
