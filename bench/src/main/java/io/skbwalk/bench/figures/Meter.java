// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;

/** A clock on the wall and one of the processor time of the thread that has made it. */
final class Meter {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final long wall = System.nanoTime();
  private final long processor = THREADS.getCurrentThreadCpuTime();

  /** What has been spent since. */
  Cost stop(long frames) {
    long cpu = THREADS.getCurrentThreadCpuTime() - processor;
    return new Cost(frames, System.nanoTime() - wall, cpu);
  }
}
