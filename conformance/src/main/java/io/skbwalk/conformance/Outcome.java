// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.util.List;

/**
 * What one side did with a scenario, in a form that can be compared.
 *
 * @param steps one for each of the scenario's
 * @param counters as iptables-save -c prints them, comment lines left out
 * @param conntrack lines of conntrack -L, sorted
 * @param sockets one line a socket: what it received
 * @param events lines of conntrack -E, in order
 * @param expectations lines of conntrack -L expect, sorted
 * @param accounting lines of nfacct list, sorted
 * @param ipsets lines of ipset save, as both list them
 * @param aside nanoseconds that passed beside those that the scenario waits, from its first set on;
 *     none in the model
 */
public record Outcome(
    List<StepOutcome> steps,
    List<String> counters,
    List<String> conntrack,
    List<String> sockets,
    List<String> events,
    List<String> expectations,
    List<String> accounting,
    List<String> ipsets,
    long aside) {

  /**
   * What became of one frame.
   *
   * @param sent frames that left, in order for each interface; interfaces in the host's order
   * @param drops {@code REASON function}, in order
   * @param logs what LOG and TRACE wrote to the kernel's log: level and line, in order
   */
  public record StepOutcome(List<Sent> sent, List<String> drops, List<String> logs) {}

  /** A frame that left, without frame check sequence. */
  public record Sent(String device, byte[] frame) {}
}
