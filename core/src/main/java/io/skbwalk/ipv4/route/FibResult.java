// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4.route;

/** Plays struct fib_result: what a lookup found. Reused. */
final class FibResult {
  FibRoute route;
  FibRule rule;
  int type;

  void clear() {
    route = null;
    rule = null;
    type = 0;
  }
}
