// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.trace;

/**
 * Is told, step by step and in order, what happens to one packet and to those made because of it.
 */
public interface TraceListener {
  /** Something happened. */
  void on(TraceEvent event);

  /** True when rules that did not match are wanted too ({@link TraceEvent.RuleMissed}). */
  default boolean wantsMisses() {
    return false;
  }
}
