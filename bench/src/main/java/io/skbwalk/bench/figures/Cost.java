// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

/**
 * What some frames cost.
 *
 * @param wallNanos by the clock on the wall
 * @param cpuNanos of processor time
 */
record Cost(long frames, long wallNanos, long cpuNanos) {
  /** The least of each: what other work on the machine blurs least. */
  Cost best(Cost other) {
    return other == null
        ? this
        : new Cost(
            frames, Math.min(wallNanos, other.wallNanos), Math.min(cpuNanos, other.cpuNanos));
  }

  /** Millions of frames a second by the clock. */
  double wallRate() {
    return 1e3 * frames / Math.max(1, wallNanos);
  }

  /** Millions of frames a second of processor time. */
  double cpuRate() {
    return 1e3 * frames / Math.max(1, cpuNanos);
  }

  /** Nanoseconds of processor time a frame. */
  double nanosPerFrame() {
    return (double) cpuNanos / Math.max(1, frames);
  }
}
