// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.TcpConnection.BE_LIBERAL;
import static io.skbwalk.netfilter.conntrack.TcpConnection.DATA_UNACKNOWLEDGED;
import static io.skbwalk.netfilter.conntrack.TcpConnection.MAXACK_SET;
import static io.skbwalk.netfilter.conntrack.TcpConnection.SACK_PERM;
import static io.skbwalk.netfilter.conntrack.TcpConnection.WINDOW_SCALE;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_RECV;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_SENT;
import static io.skbwalk.skb.TcpHeader.after;
import static io.skbwalk.skb.TcpHeader.before;

import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays tcp_in_window: does a segment lie in the windows that were announced, as a man in the
 * middle sees them (Guido van Rooij, Real Stateful TCP Packet Filtering in IP Filter, 2000)?
 *
 * <p>A segment is valid when
 *
 * <ol>
 *   <li>it begins at or before the sender's maxEnd,
 *   <li>it ends at or after the sender's end minus the receiver's maxWindow,
 *   <li>it acknowledges nothing beyond the receiver's end,
 *   <li>and nothing further back than the larger of 66000 and the sender's maxWindow.
 * </ol>
 */
final class TcpWindow {
  /** NFCT_TCP_ACCEPT: it is valid, and what it says is known from now on. */
  static final int ACCEPT = 0;

  /** NFCT_TCP_IGNORE: it passes, and changes nothing. */
  static final int LET_PASS = 1;

  /** NFCT_TCP_INVALID. */
  static final int INVALID = 2;

  /** MAXACKWINCONST. */
  private static final int MAX_ACK_WINDOW = 66_000;

  // enum nf_tcp_invalid_log_type.
  private static final int OVERSHOT = 1;
  private static final int SEQ_OVER = 2;
  private static final int ACK_OVER = 3;
  private static final int SEQ_UNDER = 4;
  private static final int ACK_UNDER = 5;

  private final Conntrack conntrack;
  private final TcpConnection tcp;
  private final TcpOptions options;
  private int complaint;
  private int bound;

  TcpWindow(Conntrack conntrack, TcpConnection tcp, TcpOptions options) {
    this.conntrack = conntrack;
    this.tcp = tcp;
    this.options = options;
  }

  /** Plays nf_tcp_log_invalid: what the last segment that was not accepted did wrong. */
  String complaint() {
    String number = Integer.toUnsignedString(bound);
    return switch (complaint) {
      case OVERSHOT -> number + " bytes more than expected";
      case SEQ_OVER -> "SEQ is over upper bound " + number + " (over the window of the receiver)";
      case ACK_OVER -> "ACK is over upper bound " + number + " (ACKed data not seen yet)";
      case SEQ_UNDER ->
          "SEQ is under lower bound " + number + " (already ACKed data retransmitted)";
      default -> "ignored ACK under lower bound " + number + " (possible overly delayed)";
    };
  }

  /** Plays nf_tcp_store_invalid: {@code result}, unless windows do not matter for this sender. */
  private int outside(int side, int result, int complaint, int bound) {
    if ((tcp.flags[side] & BE_LIBERAL) != 0 || conntrack.sysctls.tcpBeLiberal != 0) {
      return ACCEPT;
    }
    this.complaint = complaint;
    this.bound = bound;
    return result;
  }

  /** Plays tcp_in_window. */
  int check(SkBuff skb, int offset, int direction, int index) {
    int s = direction;
    int r = 1 - direction;
    int bits = TcpHeader.flags(skb, offset);
    int seq = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
    int ack = skb.u32(offset + TcpHeader.ACK_OFFSET);
    int rawWindow = skb.u16(offset + TcpHeader.WINDOW_OFFSET);
    int window = rawWindow;
    int end = TcpHeader.segmentEnd(skb, offset);
    int sack = (tcp.flags[r] & SACK_PERM) != 0 ? TcpOptions.sack(skb, offset, ack) : ack;
    int shift = conntrack.sequenceAdjustment().offset(skb.ct, r, ack - 1);
    ack -= shift;
    sack -= shift;

    if (tcp.maxWindow[s] == 0) {
      if ((bits & TcpHeader.SYN) != 0) {
        introduce(skb, offset, s, end, window);
        if ((bits & TcpHeader.ACK) == 0) {
          return ACCEPT;
        }
      } else {
        pickUp(s, end, sack, window);
      }
    } else if ((bits & TcpHeader.SYN) != 0
        && after(end, tcp.end[s])
        && (tcp.state == SYN_SENT || tcp.state == SYN_RECV)) {
      introduce(skb, offset, s, end, window);
      if (direction == REPLY && (bits & TcpHeader.ACK) == 0) {
        return ACCEPT;
      }
    }

    if ((bits & TcpHeader.ACK) == 0 || (bits & TcpHeader.RST) != 0 && ack == 0) {
      ack = tcp.end[r];
      sack = ack;
    }
    if ((bits & TcpHeader.RST) != 0 && seq == 0 && tcp.state == SYN_SENT) {
      seq = tcp.end[s];
      end = seq;
    }

    int lowestAck = tcp.end[r] - maxAckWindow(s) - 1;
    if (!before(seq, tcp.maxEnd[s] + 1)) {
      return beyond(s, end, sack, lowestAck);
    }
    if (!before(sack, tcp.end[r] + 1)) {
      return outside(s, INVALID, ACK_OVER, tcp.end[r] + 1);
    }
    int lowestEnd = tcp.end[s] - tcp.maxWindow[r] - 1;
    if (tcp.maxWindow[r] != 0 && !after(end, lowestEnd)) {
      return outside(s, LET_PASS, SEQ_UNDER, lowestEnd);
    }
    if (!after(sack, lowestAck)) {
      return outside(s, LET_PASS, ACK_UNDER, lowestAck);
    }

    if ((bits & TcpHeader.SYN) == 0) {
      window <<= tcp.scale[s];
    }
    learn(s, end, ack, sack, window, (bits & TcpHeader.ACK) != 0);
    if (index == TcpStates.ACK_SET) {
      countRetransmissions(direction, seq, ack, end, rawWindow);
    }
    return ACCEPT;
  }

  /** Plays tcp_init_sender: a side introduces itself with a SYN. */
  private void introduce(SkBuff skb, int offset, int side, int end, int window) {
    tcp.end[side] = end;
    tcp.maxEnd[side] = end;
    tcp.maxWindow[side] = window == 0 ? 1 : window;
    readOptions(skb, offset, side);
    if (side == REPLY && (tcp.flags[0] & tcp.flags[1] & WINDOW_SCALE) == 0) {
      // RFC 7323: both sides must offer scaling.
      tcp.scale[0] = 0;
      tcp.scale[1] = 0;
    }
  }

  /** Plays tcp_options for a side: its window scale and whether it takes SACK. */
  void readOptions(SkBuff skb, int offset, int side) {
    if (TcpHeader.headerLength(skb, offset) == TcpHeader.MIN_LENGTH) {
      // Linux leaves what it knew of this side when there are no options at all.
      return;
    }
    options.read(skb, offset);
    tcp.scale[side] = options.scale;
    tcp.flags[side] = tcp.flags[side] & BE_LIBERAL | options.flags;
  }

  /** The first that is seen of a side is in the middle of the connection. */
  private void pickUp(int side, int end, int sack, int window) {
    int r = 1 - side;
    tcp.end[side] = end;
    int scaled = window << tcp.scale[side];
    tcp.maxWindow[side] = scaled == 0 ? 1 : scaled;
    tcp.maxEnd[side] = end + tcp.maxWindow[side];
    if (tcp.maxWindow[r] == 0) {
      tcp.end[r] = sack;
      tcp.maxEnd[r] = sack;
    } else if (sack == tcp.end[r] + 1) {
      // Perhaps the answer to a keep-alive.
      tcp.end[r]++;
    }
  }

  /** MAXACKWINDOW. */
  private int maxAckWindow(int side) {
    return Integer.compareUnsigned(tcp.maxWindow[side], MAX_ACK_WINDOW) > 0
        ? tcp.maxWindow[side]
        : MAX_ACK_WINDOW;
  }

  /** It begins beyond the window; the peer may well take it when all else is right. */
  private int beyond(int s, int end, int sack, int lowestAck) {
    int r = 1 - s;
    int overshot = end - tcp.maxEnd[s] + 1;
    if (tcp.maxWindow[r] != 0
        && after(end, tcp.end[s] - tcp.maxWindow[r] - 1)
        && after(sack, lowestAck)
        && Integer.compareUnsigned(overshot, tcp.maxWindow[r]) <= 0
        && before(sack, tcp.end[r] + 1)) {
      // The acknowledgement of these bytes must be valid.
      tcp.end[s] = end;
      tcp.flags[s] |= DATA_UNACKNOWLEDGED;
      return outside(s, LET_PASS, OVERSHOT, overshot);
    }
    return outside(s, INVALID, SEQ_OVER, tcp.maxEnd[s] + 1);
  }

  private void learn(int s, int end, int ack, int sack, int window, boolean acknowledges) {
    int r = 1 - s;
    int reach = window + (sack - ack);
    if (Integer.compareUnsigned(tcp.maxWindow[s], reach) < 0) {
      tcp.maxWindow[s] = reach;
    }
    if (after(end, tcp.end[s])) {
      tcp.end[s] = end;
      tcp.flags[s] |= DATA_UNACKNOWLEDGED;
    }
    if (acknowledges && ((tcp.flags[s] & MAXACK_SET) == 0 || after(ack, tcp.maxAck[s]))) {
      tcp.maxAck[s] = ack;
      tcp.flags[s] |= MAXACK_SET;
    }
    if (tcp.maxWindow[r] != 0 && after(end, tcp.maxEnd[s])) {
      tcp.maxWindow[r] += end - tcp.maxEnd[s];
    }
    if (after(sack + window, tcp.maxEnd[r] - 1)) {
      tcp.maxEnd[r] = sack + window;
      if (window == 0) {
        tcp.maxEnd[r]++;
      }
    }
    if (ack == tcp.end[r]) {
      tcp.flags[r] &= ~DATA_UNACKNOWLEDGED;
    }
  }

  private void countRetransmissions(int direction, int seq, int ack, int end, int rawWindow) {
    if (tcp.lastDirection == direction
        && tcp.lastSeq == seq
        && tcp.lastAck == ack
        && tcp.lastEnd == end
        && tcp.lastWindow == rawWindow) {
      tcp.retransmissions = tcp.retransmissions + 1 & 0xFF;
    } else {
      tcp.lastDirection = direction;
      tcp.lastSeq = seq;
      tcp.lastAck = ack;
      tcp.lastEnd = end;
      tcp.lastWindow = rawWindow;
      tcp.retransmissions = 0;
    }
  }
}
