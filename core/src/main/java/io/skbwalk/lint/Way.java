// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import java.util.List;

/**
 * How a packet may come to a hook.
 *
 * @param device where it comes in; null when the machine sends it
 * @param in the interface that {@code -i} is asked of; null for any, or none
 * @param out the interface that {@code -o} is asked of; null for any, or none
 * @param back where the far end's packets come in; null when the machine sends them
 * @param sources addresses that it likes to come from, the best first
 * @param destinations addresses that it likes to go to
 */
record Way(
    String device,
    String in,
    String out,
    String back,
    List<Integer> sources,
    List<Integer> destinations) {
  static final String LOOPBACK = "lo";

  /** Copies the lists. */
  Way {
    sources = List.copyOf(sources);
    destinations = List.copyOf(destinations);
  }

  /** Does the machine talk to itself? */
  boolean isLoopback() {
    return LOOPBACK.equals(in) || LOOPBACK.equals(out);
  }

  /** Does it come in, to go out again? */
  boolean isForwarded() {
    return device != null && out != null;
  }

  /** Those of {@code set} that take this way. */
  int of(PacketFields fields, int set) {
    int here = in == null ? set : fields.sets.and(set, fields.interfaceHas(PacketFields.IN, in));
    return out == null ? here : fields.sets.and(here, fields.interfaceHas(PacketFields.OUT, out));
  }
}
