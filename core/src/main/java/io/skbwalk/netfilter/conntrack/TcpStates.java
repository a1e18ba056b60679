// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import io.skbwalk.skb.TcpHeader;

/** Plays enum tcp_conntrack and tcp_conntracks: the states of a connection and what leads where. */
final class TcpStates {
  static final int NONE = 0;
  static final int SYN_SENT = 1;
  static final int SYN_RECV = 2;
  static final int ESTABLISHED = 3;
  static final int FIN_WAIT = 4;
  static final int CLOSE_WAIT = 5;
  static final int LAST_ACK = 6;
  static final int TIME_WAIT = 7;
  static final int CLOSE = 8;

  /** A SYN from each side. */
  static final int SYN_SENT2 = 9;

  /** TCP_CONNTRACK_MAX: the segment is invalid in this state. */
  static final int INVALID_HERE = 10;

  /** TCP_CONNTRACK_IGNORE: the segment changes nothing; who gets it may answer it with RST. */
  static final int IGNORE = 11;

  /** The states by number, as conntrack -L prints them. */
  static final String[] NAMES = {
    "NONE",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
    "SYN_SENT2"
  };

  // enum tcp_bit_set: what kind of segment it is.
  static final int SYN_SET = 0;
  static final int SYNACK_SET = 1;
  static final int FIN_SET = 2;
  static final int ACK_SET = 3;
  static final int RST_SET = 4;
  static final int NONE_SET = 5;

  /**
   * tcp_conntracks: by direction, kind of segment and state the number of the state after it, or I
   * invalid, G ignored. Columns: NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT,
   * LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2.
   */
  private static final byte[][][] NEXT = {
    {
      row("1 1 G G G G G 1 1 9"), // SYN
      row("I I 2 I I I I I I 2"), // SYN and ACK
      row("I I 4 4 6 6 6 7 8 I"), // FIN
      row("3 I 3 3 5 5 7 7 8 I"), // ACK
      row("I 8 8 8 8 8 8 8 8 8"), // RST
      row("I I I I I I I I I I"), // none
    },
    {
      row("I 9 I I I I I 1 I 9"),
      row("I 2 G G G G G G G 2"),
      row("I I 4 4 6 6 6 7 8 I"),
      row("I G 2 3 5 5 7 7 8 G"),
      row("I 8 8 8 8 8 8 8 8 8"),
      row("I I I I I I I I I I"),
    }
  };

  private TcpStates() {}

  private static byte[] row(String states) {
    byte[] row = new byte[10];
    for (int i = 0; i < row.length; i++) {
      char state = states.charAt(2 * i);
      row[i] = (byte) (state == 'I' ? INVALID_HERE : state == 'G' ? IGNORE : state - '0');
    }
    return row;
  }

  /** The state after a segment of kind {@code index}, {@link #INVALID_HERE} or {@link #IGNORE}. */
  static int next(int direction, int index, int state) {
    return NEXT[direction][index][state];
  }

  /** Plays get_conntrack_index: the kind of a segment by its flags. */
  static int index(int bits) {
    if ((bits & TcpHeader.RST) != 0) {
      return RST_SET;
    }
    if ((bits & TcpHeader.SYN) != 0) {
      return (bits & TcpHeader.ACK) != 0 ? SYNACK_SET : SYN_SET;
    }
    if ((bits & TcpHeader.FIN) != 0) {
      return FIN_SET;
    }
    return (bits & TcpHeader.ACK) != 0 ? ACK_SET : NONE_SET;
  }

  /** tcp_valid_flags: PSH, ECE and CWR may always be set. */
  static boolean validFlags(int bits) {
    switch (bits & (TcpHeader.FIN | TcpHeader.SYN | TcpHeader.RST | TcpHeader.ACK)) {
      case TcpHeader.SYN:
      case TcpHeader.ACK:
      case TcpHeader.FIN | TcpHeader.ACK:
        return true;
      case TcpHeader.SYN | TcpHeader.ACK:
      case TcpHeader.RST:
      case TcpHeader.RST | TcpHeader.ACK:
        return (bits & TcpHeader.URG) == 0;
      default:
        return false;
    }
  }

  /** Plays tcp_can_early_drop: is the connection closing? */
  static boolean closing(int state) {
    return state == FIN_WAIT
        || state == LAST_ACK
        || state == TIME_WAIT
        || state == CLOSE
        || state == CLOSE_WAIT;
  }
}
