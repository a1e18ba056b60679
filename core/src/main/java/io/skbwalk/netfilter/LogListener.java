// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

/** Plays the kernel log (dmesg) as far as netfilter writes to it. */
@FunctionalInterface
public interface LogListener {
  /**
   * A line was logged.
   *
   * @param time nanoseconds since the epoch
   * @param level 0 (emerg) to 7 (debug)
   * @param line without time and level
   */
  void log(long time, int level, String line);
}
