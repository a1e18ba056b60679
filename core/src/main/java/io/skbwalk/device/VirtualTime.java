// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

/** Moves the machine's clock to a frame's time, everything that is due before it running first. */
@FunctionalInterface
public interface VirtualTime {
  /** Advances to {@code nanos} since the epoch; an earlier time changes nothing. */
  void advanceTo(long nanos);
}
