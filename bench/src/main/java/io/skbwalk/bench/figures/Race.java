// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Several ways to do the same work, in turn, round after round, so that whatever else the machine
 * does slows all of them alike. The best round of each counts.
 */
final class Race {
  /** One of the ways. */
  interface Runner {
    /** Does the work once. */
    Cost run() throws IOException;
  }

  private record Contender(Runner runner, int warmups) {}

  private final Map<String, Contender> contenders = new LinkedHashMap<>();
  private final Map<String, Cost> best = new LinkedHashMap<>();

  /** One that is as fast the first time as later. */
  Race add(String name, Runner runner) {
    return add(name, 0, runner);
  }

  /**
   * One more.
   *
   * @param warmups how often it does the work before it counts: what the JVM is to have compiled
   */
  Race add(String name, int warmups, Runner runner) {
    contenders.put(name, new Contender(runner, warmups));
    return this;
  }

  /** Runs them. */
  Race run(int rounds) throws IOException {
    for (Contender one : contenders.values()) {
      for (int i = 0; i < one.warmups; i++) {
        one.runner.run();
      }
    }
    for (int round = 1; round <= rounds; round++) {
      for (Map.Entry<String, Contender> one : contenders.entrySet()) {
        Cost cost = one.getValue().runner.run();
        best.put(one.getKey(), cost.best(best.get(one.getKey())));
        System.err.printf(
            "round %d: %-45s %8.1f ms wall, %8.1f ms processor%n",
            round, one.getKey(), cost.wallNanos() / 1e6, cost.cpuNanos() / 1e6);
      }
    }
    return this;
  }

  /** Everyone's best, in the order of {@link #add}. */
  Map<String, Cost> best() {
    return best;
  }

  /** The best of one; null of one that did not take part. */
  Cost best(String name) {
    return best.get(name);
  }
}
