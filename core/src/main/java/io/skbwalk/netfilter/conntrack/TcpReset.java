// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEEN_REPLY;
import static io.skbwalk.netfilter.conntrack.TcpConnection.MAXACK_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.ACK_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_SENT;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_SET;
import static io.skbwalk.skb.TcpHeader.before;

import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays nf_conntrack_tcp_packet's case of TCP_CONNTRACK_CLOSE: is a reset to be believed? Who
 * cannot see the connection must not be able to end it (RFC 5961).
 */
final class TcpReset {
  /** It repeats what was acknowledged long ago. */
  static final int INVALID = 0;

  /** It closes the connection when it lies in the window. */
  static final int IN_WINDOW = 1;

  /**
   * It lies in the window, but not at its left edge: who gets it may challenge it (RFC 5961), so
   * the connection stays.
   */
  static final int CHALLENGED = 2;

  /** It closes the connection wherever it lies. */
  static final int BELIEVED = 3;

  private TcpReset() {}

  /** What is to be made of a segment with RST: one of the above. */
  static int judge(
      Conntrack conntrack, TcpConnection tcp, SkBuff skb, int offset, int direction, int status) {
    if (TcpStates.closing(tcp.state)) {
      // What is known of the windows may be another connection's already.
      return BELIEVED;
    }
    int seq = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
    if ((tcp.flags[1 - direction] & MAXACK_SET) != 0 && tcp.lastIndex != SYN_SET) {
      boolean established = tcp.state == ESTABLISHED && (status & IPS_ASSURED) != 0;
      int expected = tcp.maxAck[1 - direction];
      if (seq == 0 && !established) {
        return IN_WINDOW;
      }
      if (before(seq, expected) && conntrack.sysctls.tcpIgnoreInvalidRst == 0) {
        return INVALID;
      }
      boolean endsTrain =
          tcp.lastIndex == ACK_SET && tcp.lastDirection == direction && seq == tcp.lastEnd;
      return established && seq != expected && !endsTrain ? CHALLENGED : IN_WINDOW;
    }
    boolean answersSyn =
        (status & IPS_SEEN_REPLY) != 0
            && tcp.lastIndex == SYN_SET
            && tcp.lastDirection != direction;
    boolean answersAck = (status & IPS_ASSURED) == 0 && tcp.lastIndex == ACK_SET;
    boolean answersIgnored =
        (answersSyn || answersAck) && skb.u32(offset + TcpHeader.ACK_OFFSET) == tcp.lastEnd;
    boolean answersChallenge =
        tcp.state == SYN_SENT
            && tcp.lastIndex == ACK_SET
            && tcp.lastDirection == REPLY
            && seq == tcp.lastAck;
    return answersIgnored || answersChallenge ? BELIEVED : IN_WINDOW;
  }
}
