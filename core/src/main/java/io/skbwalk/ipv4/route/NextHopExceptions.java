// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

import java.util.Arrays;

/**
 * Plays struct fib_nh_exception and its hash: what ICMP has taught about single destinations of a
 * route, each as two {@link Rtable}s of its own, for packets made here and for forwarded ones. A
 * handful; looked through one by one.
 */
final class NextHopExceptions {
  /** Kept per route; the oldest gives way. */
  private static final int LIMIT = 1024;

  private int[] destinations = new int[4];
  private Rtable[] outputs = new Rtable[4];
  private Rtable[] inputs = new Rtable[4];
  private int size;
  private int oldest;

  /** Plays find_exception: what holds for {@code destination} at {@code now}, or null. */
  Rtable find(int destination, long now, boolean input) {
    for (int i = 0; i < size; i++) {
      if (destinations[i] == destination) {
        return now <= outputs[i].expires ? input ? inputs[i] : outputs[i] : null;
      }
    }
    return null;
  }

  /** Plays update_or_create_fnhe. */
  void put(int destination, Rtable output, Rtable input) {
    int at = 0;
    while (at < size && destinations[at] != destination) {
      at++;
    }
    if (at == LIMIT) {
      at = oldest;
      oldest = (oldest + 1) % LIMIT;
    } else if (at == size) {
      if (size == outputs.length) {
        destinations = Arrays.copyOf(destinations, size * 2);
        outputs = Arrays.copyOf(outputs, size * 2);
        inputs = Arrays.copyOf(inputs, size * 2);
      }
      size++;
    }
    destinations[at] = destination;
    outputs[at] = output;
    inputs[at] = input;
  }
}
