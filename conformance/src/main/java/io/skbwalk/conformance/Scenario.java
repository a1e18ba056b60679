// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.host.HostDescription;
import java.util.List;

/**
 * What both sides are given.
 *
 * @param name for people
 * @param host the machine
 * @param rules iptables-save text; empty for none
 * @param steps frames in order
 */
public record Scenario(String name, HostDescription host, String rules, List<Step> steps) {
  /** Copies the list. */
  public Scenario {
    steps = List.copyOf(steps);
  }

  /**
   * One frame.
   *
   * @param device interface that it arrives on; null when the machine sends it itself
   * @param bytes an Ethernet frame without check sequence, or an IP packet when the machine sends
   *     it
   * @param comment what it is, for people
   */
  public record Step(String device, byte[] bytes, String comment) {}
}
