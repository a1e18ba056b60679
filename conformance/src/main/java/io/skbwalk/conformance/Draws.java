// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.List;
import java.util.Random;

/** What all that is drawn at random is drawn with. */
abstract class Draws {
  final Random random;

  Draws(Random random) {
    this.random = random;
  }

  final boolean oneIn(int n) {
    return random.nextInt(n) == 0;
  }

  final int pick(int... values) {
    return values[random.nextInt(values.length)];
  }

  final String pick(String... values) {
    return values[random.nextInt(values.length)];
  }

  final String anyOf(List<String> lines) {
    return lines.get(random.nextInt(lines.size()));
  }
}
