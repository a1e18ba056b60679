// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.device;

/** Is told of each frame that a NIC did not let in, so that no packet was ever made of it. */
@FunctionalInterface
public interface RefusalListener {
  /** A frame stayed outside. */
  void refused(NetDevice dev, long frame, Refusal refusal);
}
