// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.SocketOwner;
import java.util.List;

/**
 * One frame of a scenario.
 *
 * @param device the interface that it arrives on; null when the machine sends it itself
 * @param afterNanos virtual time since the frame before, nanoseconds
 * @param bytes an Ethernet frame without check sequence; an IP packet when the machine sends it
 * @param answers what the machine must have sent before the bytes are whole; see {@link TcpAnswers}
 * @param owner who sends it, when the machine does and that is said; else null
 * @param comment what the file says of it, or a description; may be empty
 * @param position where it is written
 */
public record ScenarioPacket(
    String device,
    long afterNanos,
    byte[] bytes,
    List<TcpAnswers.Number> answers,
    SocketOwner owner,
    String comment,
    SourcePosition position) {
  /** Copies the list. */
  public ScenarioPacket {
    answers = List.copyOf(answers);
  }
}
