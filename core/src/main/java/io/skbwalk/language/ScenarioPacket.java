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
 * @param turn its place in a conversation; null when it is in none
 */
public record ScenarioPacket(
    String device,
    long afterNanos,
    byte[] bytes,
    List<TcpAnswers.Number> answers,
    SocketOwner owner,
    String comment,
    SourcePosition position,
    Turn turn) {
  /** Copies the list. */
  public ScenarioPacket {
    answers = List.copyOf(answers);
  }

  /**
   * A packet's place in a conversation.
   *
   * @param conversation its number in the scenario
   * @param reply the far end sends it: what arrived there, and where, decides its addresses and
   *     where it comes in, and its bytes are an IP packet
   */
  public record Turn(int conversation, boolean reply) {}
}
