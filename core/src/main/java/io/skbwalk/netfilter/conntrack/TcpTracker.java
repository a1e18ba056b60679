// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_FIXED_TIMEOUT;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEEN_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.CLOSE;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.CLOSE_WAIT;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.FIN_WAIT;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.LAST_ACK;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.RETRANS;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.SYN_RECV;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.SYN_SENT;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.SYN_SENT2;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.TIME_WAIT;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.UNACK;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays nf_conntrack_proto_tcp.c: the state of a connection as a man in the middle sees it, and the
 * check that each segment lies in the windows that were announced (Guido van Rooij, Real Stateful
 * TCP Packet Filtering in IP Filter, 2000).
 *
 * <p>For a sender, {@code end} is the highest sequence number sent plus length, {@code maxEnd} the
 * highest that the other side's window allows, {@code maxWindow} the largest window that it
 * announced, {@code maxAck} the highest acknowledgement that it sent. A segment is valid when
 *
 * <ol>
 *   <li>it begins at or before the sender's maxEnd,
 *   <li>it ends at or after the sender's end minus the receiver's maxWindow,
 *   <li>it acknowledges nothing beyond the receiver's end,
 *   <li>and nothing further back than the larger of 66000 and the sender's maxWindow.
 * </ol>
 */
final class TcpTracker {
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

  private static final int NONE = 0;

  /** TCP_CONNTRACK_MAX: the segment is invalid in this state. */
  private static final int INVALID_HERE = 10;

  /** TCP_CONNTRACK_IGNORE: the segment changes nothing; who gets it may answer it with RST. */
  private static final int IGNORE = 11;

  // enum tcp_bit_set: what kind of segment it is.
  private static final int SYN_SET = 0;
  private static final int SYNACK_SET = 1;
  private static final int FIN_SET = 2;
  private static final int ACK_SET = 3;
  private static final int RST_SET = 4;
  private static final int NONE_SET = 5;

  // IP_CT_TCP_FLAG_: what is known of one side.
  private static final int WINDOW_SCALE = 0x01;
  private static final int SACK_PERM = 0x02;
  private static final int CLOSE_INIT = 0x04;
  private static final int BE_LIBERAL = 0x08;
  private static final int DATA_UNACKNOWLEDGED = 0x10;
  private static final int MAXACK_SET = 0x20;

  // Flags of the last segment seen.
  private static final int EXP_CHALLENGE_ACK = 0x40;
  private static final int SIMULTANEOUS_OPEN = 0x80;

  /** MAXACKWINCONST. */
  private static final int MAX_ACK_WINDOW = 66_000;

  private static final int MAX_SCALE = 14;

  private static final int OPTION_END = 0;
  private static final int OPTION_NOP = 1;
  private static final int OPTION_WINDOW_SCALE = 3;
  private static final int OPTION_SACK_PERMITTED = 4;
  private static final int OPTION_SACK = 5;

  /**
   * tcp_conntracks: by direction, kind of segment and state the number of the state after it, or I
   * invalid, G ignored. Columns: NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT,
   * LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2.
   */
  private static final byte[][][] NEXT_STATE = {
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

  /** What tcp_in_window found. */
  private static final int ACCEPT = 0;

  private static final int LET_PASS = 1;
  private static final int INVALID = 2;

  private static final int WORDS = ConntrackMemory.PROTOCOL_WORDS;
  private static final int WORD_SIDES = WORDS + 8;
  private static final int WORD_STATE = WORDS + 9;

  private final Conntrack conntrack;

  // The connection at hand, taken out of the memory by load and put back by store.
  private final int[] end = new int[2];
  private final int[] maxEnd = new int[2];
  private final int[] maxWindow = new int[2];
  private final int[] maxAck = new int[2];
  private final int[] scale = new int[2];
  private final int[] flags = new int[2];
  private int state;
  private int lastDirection;
  private int retransmissions;
  private int lastIndex;
  private int lastSeq;
  private int lastAck;
  private int lastEnd;
  private int lastWindow;
  private int lastScale;
  private int lastFlags;

  // What options found.
  private int optionScale;
  private int optionFlags;

  TcpTracker(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  private static byte[] row(String states) {
    byte[] row = new byte[10];
    for (int i = 0; i < row.length; i++) {
      char state = states.charAt(2 * i);
      row[i] = (byte) (state == 'I' ? INVALID_HERE : state == 'G' ? IGNORE : state - '0');
    }
    return row;
  }

  /** The state of an entry. */
  static int state(ConntrackMemory memory, int ct) {
    return memory.get(ct, WORD_STATE) & 0xFF;
  }

  /** Where a side of an entry has come to (td_end). */
  static int end(ConntrackMemory memory, int ct, int side) {
    return memory.get(ct, WORDS + 4 * side);
  }

  private void load(int ct) {
    int[] words = conntrack.memory.chunk(ct);
    int at = ConntrackMemory.offset(ct) + WORDS;
    for (int side = 0; side < 2; side++) {
      end[side] = words[at++];
      maxEnd[side] = words[at++];
      maxWindow[side] = words[at++];
      maxAck[side] = words[at++];
    }
    int sides = words[at++];
    scale[0] = sides & 0xFF;
    flags[0] = sides >>> 8 & 0xFF;
    scale[1] = sides >>> 16 & 0xFF;
    flags[1] = sides >>> 24;
    int word = words[at++];
    state = word & 0xFF;
    lastDirection = word >>> 8 & 0xFF;
    retransmissions = word >>> 16 & 0xFF;
    lastIndex = word >>> 24;
    lastSeq = words[at++];
    lastAck = words[at++];
    lastEnd = words[at++];
    word = words[at];
    lastWindow = word & 0xFFFF;
    lastScale = word >>> 16 & 0xFF;
    lastFlags = word >>> 24;
  }

  private void store(int ct) {
    int[] words = conntrack.memory.chunk(ct);
    int at = ConntrackMemory.offset(ct) + WORDS;
    for (int side = 0; side < 2; side++) {
      words[at++] = end[side];
      words[at++] = maxEnd[side];
      words[at++] = maxWindow[side];
      words[at++] = maxAck[side];
    }
    words[at++] = scale[0] | flags[0] << 8 | scale[1] << 16 | flags[1] << 24;
    words[at++] = state | lastDirection << 8 | (retransmissions & 0xFF) << 16 | lastIndex << 24;
    words[at++] = lastSeq;
    words[at++] = lastAck;
    words[at++] = lastEnd;
    words[at] = lastWindow | lastScale << 16 | lastFlags << 24;
  }

  private void clear() {
    for (int side = 0; side < 2; side++) {
      end[side] = 0;
      maxEnd[side] = 0;
      maxWindow[side] = 0;
      maxAck[side] = 0;
      scale[side] = 0;
      flags[side] = 0;
    }
    state = NONE;
    lastDirection = 0;
    retransmissions = 0;
    lastIndex = 0;
    lastSeq = 0;
    lastAck = 0;
    lastEnd = 0;
    lastWindow = 0;
    lastScale = 0;
    lastFlags = 0;
  }

  /** Plays nf_conntrack_tcp_set_closing. */
  void setClosing(int ct) {
    int status = conntrack.status(ct);
    if ((status & IPS_CONFIRMED) == 0) {
      return;
    }
    int word = conntrack.memory.get(ct, WORD_STATE);
    conntrack.memory.set(ct, WORD_STATE, word & ~0xFF | CLOSE);
    if ((word & 0xFF) == CLOSE || (status & IPS_FIXED_TIMEOUT) != 0) {
      return;
    }
    conntrack.setTimeout(ct, status, conntrack.timeouts(ct, conntrack.sysctls.tcp)[CLOSE]);
    conntrack.cacheEvent(ct, ConntrackEvents.PROTOINFO);
  }

  private static boolean before(int a, int b) {
    return a - b < 0;
  }

  private static boolean after(int a, int b) {
    return b - a < 0;
  }

  private static int index(int bits) {
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
  private static boolean validFlags(int bits) {
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

  /** Plays tcp_error: what is wrong with the segment by itself, or null. */
  private String error(Hook hook, SkBuff skb, int offset) {
    int length = skb.tail - offset;
    int header = TcpHeader.headerLength(skb, offset);
    if (header < TcpHeader.MIN_LENGTH || length < header) {
      return "truncated packet";
    }
    if (conntrack.verifies(hook)
        && Conntrack.badChecksum(skb, offset, length, IpHeader.IPPROTO_TCP)) {
      return "bad checksum";
    }
    if (!validFlags(TcpHeader.flags(skb, offset))) {
      return "invalid tcp flag combination";
    }
    return null;
  }

  private static int endOf(SkBuff skb, int offset, int bits) {
    return skb.u32(offset + TcpHeader.SEQUENCE_OFFSET)
        + skb.tail
        - offset
        - TcpHeader.headerLength(skb, offset)
        + ((bits & TcpHeader.SYN) != 0 ? 1 : 0)
        + ((bits & TcpHeader.FIN) != 0 ? 1 : 0);
  }

  /** Plays tcp_new: a first segment; false when no connection can begin with it. */
  private boolean begin(SkBuff skb, int offset, int bits) {
    int first = NEXT_STATE[ORIGINAL][index(bits)][NONE];
    if (first >= INVALID_HERE) {
      conntrack.because("invalid new");
      return false;
    }
    if (first != SYN_SENT && conntrack.sysctls.tcpLoose == 0) {
      conntrack.because("no SYN, and nf_conntrack_tcp_loose is 0");
      return false;
    }
    clear();
    end[0] = endOf(skb, offset, bits);
    maxWindow[0] = Math.max(skb.u16(offset + TcpHeader.WINDOW_OFFSET), 1);
    maxEnd[0] = end[0];
    if (first == SYN_SENT) {
      readOptions(skb, offset, ORIGINAL);
    } else {
      // Picked up on its way: the scale is unknown, so neither windows nor SACK can be insisted on.
      maxEnd[0] += maxWindow[0];
      flags[0] = SACK_PERM | BE_LIBERAL;
      flags[1] = SACK_PERM | BE_LIBERAL;
    }
    lastIndex = NONE_SET;
    return true;
  }

  /** Plays tcp_options for a side: its window scale and whether it takes SACK. */
  private void readOptions(SkBuff skb, int offset, int side) {
    if (TcpHeader.headerLength(skb, offset) == TcpHeader.MIN_LENGTH) {
      // Linux leaves what it knew of this side when there are no options at all.
      return;
    }
    options(skb, offset);
    scale[side] = optionScale;
    flags[side] = flags[side] & BE_LIBERAL | optionFlags;
  }

  private void options(SkBuff skb, int offset) {
    optionScale = 0;
    optionFlags = 0;
    int at = offset + TcpHeader.MIN_LENGTH;
    int stop = offset + TcpHeader.headerLength(skb, offset);
    while (at < stop) {
      int kind = skb.u8(at);
      if (kind == OPTION_END) {
        return;
      }
      if (kind == OPTION_NOP) {
        at++;
        continue;
      }
      if (stop - at == 1) {
        return;
      }
      int size = skb.u8(at + 1);
      if (size < 2 || size > stop - at) {
        return;
      }
      if (kind == OPTION_SACK_PERMITTED && size == 2) {
        optionFlags |= SACK_PERM;
      } else if (kind == OPTION_WINDOW_SCALE && size == 3) {
        optionScale = Math.min(skb.u8(at + 2), MAX_SCALE);
        optionFlags |= WINDOW_SCALE;
      }
      at += size;
    }
  }

  /** Plays tcp_sack: the highest right edge of a SACK block, or {@code ack} when that is higher. */
  private static int sack(SkBuff skb, int offset, int ack) {
    int at = offset + TcpHeader.MIN_LENGTH;
    int stop = offset + TcpHeader.headerLength(skb, offset);
    int highest = ack;
    while (at < stop) {
      int kind = skb.u8(at);
      if (kind == OPTION_END) {
        return highest;
      }
      if (kind == OPTION_NOP) {
        at++;
        continue;
      }
      if (stop - at == 1) {
        return highest;
      }
      int size = skb.u8(at + 1);
      if (size < 2 || size > stop - at) {
        return highest;
      }
      if (kind == OPTION_SACK && size >= 10 && (size - 2) % 8 == 0) {
        for (int block = at + 2; block < at + size; block += 8) {
          int right = skb.u32(block + 4);
          if (after(right, highest)) {
            highest = right;
          }
        }
        return highest;
      }
      at += size;
    }
    return highest;
  }

  /** Plays tcp_init_sender: a side introduces itself with a SYN. */
  private void introduce(SkBuff skb, int offset, int direction, int segmentEnd, int window) {
    end[direction] = segmentEnd;
    maxEnd[direction] = segmentEnd;
    maxWindow[direction] = window == 0 ? 1 : window;
    readOptions(skb, offset, direction);
    if (direction == REPLY && (flags[0] & flags[1] & WINDOW_SCALE) == 0) {
      // RFC 7323: both sides must offer scaling.
      scale[0] = 0;
      scale[1] = 0;
    }
  }

  /** {@code result}, unless windows do not matter for this sender. */
  private int outside(int side, int result) {
    if ((flags[side] & BE_LIBERAL) != 0 || conntrack.sysctls.tcpBeLiberal != 0) {
      conntrack.because(null);
      return ACCEPT;
    }
    return result;
  }

  /** Plays tcp_in_window. */
  private int inWindow(SkBuff skb, int offset, int direction, int index, int bits) {
    int s = direction;
    int r = 1 - direction;
    boolean traced = skb.trace != null;
    int seq = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
    int ack = skb.u32(offset + TcpHeader.ACK_OFFSET);
    int rawWindow = skb.u16(offset + TcpHeader.WINDOW_OFFSET);
    int window = rawWindow;
    int segmentEnd = endOf(skb, offset, bits);
    int sack = (flags[r] & SACK_PERM) != 0 ? sack(skb, offset, ack) : ack;
    int shift = conntrack.sequenceAdjustment().offset(skb.ct, r, ack - 1);
    ack -= shift;
    sack -= shift;

    if (maxWindow[s] == 0) {
      if ((bits & TcpHeader.SYN) != 0) {
        introduce(skb, offset, s, segmentEnd, window);
        if ((bits & TcpHeader.ACK) == 0) {
          return ACCEPT;
        }
      } else {
        end[s] = segmentEnd;
        int scaled = window << scale[s];
        maxWindow[s] = scaled == 0 ? 1 : scaled;
        maxEnd[s] = segmentEnd + maxWindow[s];
        if (maxWindow[r] == 0) {
          end[r] = sack;
          maxEnd[r] = sack;
        } else if (sack == end[r] + 1) {
          // Perhaps the answer to a keep-alive.
          end[r]++;
        }
      }
    } else if ((bits & TcpHeader.SYN) != 0
        && after(segmentEnd, end[s])
        && (state == SYN_SENT || state == SYN_RECV)) {
      introduce(skb, offset, s, segmentEnd, window);
      if (direction == REPLY && (bits & TcpHeader.ACK) == 0) {
        return ACCEPT;
      }
    }

    if ((bits & TcpHeader.ACK) == 0 || (bits & TcpHeader.RST) != 0 && ack == 0) {
      ack = end[r];
      sack = ack;
    }
    if ((bits & TcpHeader.RST) != 0 && seq == 0 && state == SYN_SENT) {
      seq = end[s];
      segmentEnd = seq;
    }

    int lowestAck =
        end[r]
            - (Integer.compareUnsigned(maxWindow[s], MAX_ACK_WINDOW) > 0
                ? maxWindow[s]
                : MAX_ACK_WINDOW)
            - 1;
    if (!before(seq, maxEnd[s] + 1)) {
      int overshot = segmentEnd - maxEnd[s] + 1;
      boolean inReceiveWindow = maxWindow[r] != 0 && after(segmentEnd, end[s] - maxWindow[r] - 1);
      if (inReceiveWindow
          && after(sack, lowestAck)
          && Integer.compareUnsigned(overshot, maxWindow[r]) <= 0
          && before(sack, end[r] + 1)) {
        // More than was allowed, but the peer may well take it; its acknowledgement must be valid.
        end[s] = segmentEnd;
        flags[s] |= DATA_UNACKNOWLEDGED;
        if (traced) {
          conntrack.because(Integer.toUnsignedString(overshot) + " bytes more than expected");
        }
        return outside(s, LET_PASS);
      }
      if (traced) {
        conntrack.because(
            "SEQ is over upper bound "
                + Integer.toUnsignedString(maxEnd[s] + 1)
                + " (over the window of the receiver)");
      }
      return outside(s, INVALID);
    }
    if (!before(sack, end[r] + 1)) {
      if (traced) {
        conntrack.because(
            "ACK is over upper bound "
                + Integer.toUnsignedString(end[r] + 1)
                + " (ACKed data not seen yet)");
      }
      return outside(s, INVALID);
    }
    if (maxWindow[r] != 0 && !after(segmentEnd, end[s] - maxWindow[r] - 1)) {
      if (traced) {
        conntrack.because(
            "SEQ is under lower bound "
                + Integer.toUnsignedString(end[s] - maxWindow[r] - 1)
                + " (already ACKed data retransmitted)");
      }
      return outside(s, LET_PASS);
    }
    if (!after(sack, lowestAck)) {
      if (traced) {
        conntrack.because(
            "ignored ACK under lower bound "
                + Integer.toUnsignedString(lowestAck)
                + " (possible overly delayed)");
      }
      return outside(s, LET_PASS);
    }

    if ((bits & TcpHeader.SYN) == 0) {
      window <<= scale[s];
    }
    int reach = window + (sack - ack);
    if (Integer.compareUnsigned(maxWindow[s], reach) < 0) {
      maxWindow[s] = reach;
    }
    if (after(segmentEnd, end[s])) {
      end[s] = segmentEnd;
      flags[s] |= DATA_UNACKNOWLEDGED;
    }
    if ((bits & TcpHeader.ACK) != 0) {
      if ((flags[s] & MAXACK_SET) == 0) {
        maxAck[s] = ack;
        flags[s] |= MAXACK_SET;
      } else if (after(ack, maxAck[s])) {
        maxAck[s] = ack;
      }
    }
    if (maxWindow[r] != 0 && after(segmentEnd, maxEnd[s])) {
      maxWindow[r] += segmentEnd - maxEnd[s];
    }
    if (after(sack + window, maxEnd[r] - 1)) {
      maxEnd[r] = sack + window;
      if (window == 0) {
        maxEnd[r]++;
      }
    }
    if (ack == end[r]) {
      flags[r] &= ~DATA_UNACKNOWLEDGED;
    }
    if (index == ACK_SET) {
      if (lastDirection == direction
          && lastSeq == seq
          && lastAck == ack
          && lastEnd == segmentEnd
          && lastWindow == rawWindow) {
        retransmissions = retransmissions + 1 & 0xFF;
      } else {
        lastDirection = direction;
        lastSeq = seq;
        lastAck = ack;
        lastEnd = segmentEnd;
        lastWindow = rawWindow;
        retransmissions = 0;
      }
    }
    return ACCEPT;
  }

  /** Plays nf_tcp_handle_invalid: a FIN or RST out of window, answered by another, ages sooner. */
  private void invalidClose(int ct, int status, int direction, int index) {
    if ((status & IPS_ASSURED) == 0
        || (status & IPS_FIXED_TIMEOUT) != 0
        || index != RST_SET && index != FIN_SET) {
      return;
    }
    if (lastDirection != direction && (lastIndex == FIN_SET || lastIndex == RST_SET)) {
      int expires = conntrack.expires(ct);
      int timeout = conntrack.timeouts(ct, conntrack.sysctls.tcp)[UNACK];
      if (expires >= 120 * Clock.HZ && Integer.compareUnsigned(expires, timeout) > 0) {
        conntrack.setTimeout(ct, status, timeout);
      }
    } else {
      lastIndex = index;
      lastDirection = direction;
    }
  }

  /** Plays tcp_can_early_drop: is the connection closing? */
  private static boolean closing(int state) {
    return state == FIN_WAIT
        || state == LAST_ACK
        || state == TIME_WAIT
        || state == CLOSE
        || state == CLOSE_WAIT;
  }

  /** Plays nf_conntrack_tcp_established. */
  private boolean established(int status) {
    return state == ESTABLISHED && (status & IPS_ASSURED) != 0;
  }

  /**
   * Plays nf_conntrack_tcp_packet.
   *
   * @return a {@link Verdict}, negative when the segment is invalid
   */
  int packet(Hook hook, SkBuff skb, int offset) {
    if (skb.tail - offset < TcpHeader.MIN_LENGTH) {
      conntrack.because("truncated packet");
      return -Verdict.ACCEPT;
    }
    String error = error(hook, skb, offset);
    if (error != null) {
      conntrack.because(error);
      return -Verdict.ACCEPT;
    }
    int ct = skb.ct;
    int status = conntrack.status(ct);
    int bits = TcpHeader.flags(skb, offset);
    if ((status & IPS_CONFIRMED) == 0) {
      if (!begin(skb, offset, bits)) {
        return -Verdict.ACCEPT;
      }
    } else {
      load(ct);
    }
    int verdict = judge(skb, offset, ct, status, bits);
    store(ct);
    return verdict;
  }

  private int judge(SkBuff skb, int offset, int ct, int status, int bits) {
    int oldState = state;
    int direction = ConntrackInfo.direction(skb.ctInfo);
    int index = index(bits);
    int newState = NEXT_STATE[direction][index][oldState];
    boolean skipWindow = false;

    switch (newState) {
      case SYN_SENT:
        if (oldState < TIME_WAIT) {
          break;
        }
        if (((flags[0] | flags[1]) & CLOSE_INIT) != 0
            || lastDirection == direction && lastIndex == RST_SET) {
          // The tuple is used for a new connection: forget the old one and look again.
          return conntrack.delete(ct) ? -Verdict.REPEAT : Verdict.DROP;
        }
        return ignored(skb, offset, direction, index, bits, oldState);
      case IGNORE:
        if (index == SYNACK_SET
            && lastIndex == SYN_SET
            && lastDirection != direction
            && skb.u32(offset + TcpHeader.ACK_OFFSET) == lastEnd) {
          // It acknowledges a SYN that was ignored: both ends know better than we did.
          resynchronise(direction);
          oldState = SYN_SENT;
          newState = SYN_RECV;
          break;
        }
        return ignored(skb, offset, direction, index, bits, oldState);
      case INVALID_HERE:
        if (skb.trace != null) {
          conntrack.because(describe("invalid", index, direction, oldState));
        }
        return -Verdict.ACCEPT;
      case TIME_WAIT:
        if (oldState == LAST_ACK
            && index == ACK_SET
            && lastDirection != direction
            && lastIndex == SYN_SET
            && (lastFlags & EXP_CHALLENGE_ACK) != 0) {
          // RFC 5961: this answers the SYN, not the FIN.
          lastFlags &= ~EXP_CHALLENGE_ACK;
          conntrack.because("challenge-ack ignored");
          return Verdict.ACCEPT;
        }
        break;
      case SYN_SENT2:
        lastFlags |= SIMULTANEOUS_OPEN;
        break;
      case SYN_RECV:
        if (direction == REPLY && index == ACK_SET && (lastFlags & SIMULTANEOUS_OPEN) != 0) {
          newState = ESTABLISHED;
        }
        break;
      case CLOSE:
        if (index != RST_SET) {
          break;
        }
        if (closing(state)) {
          skipWindow = true;
          break;
        }
        int seq = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
        int ack = skb.u32(offset + TcpHeader.ACK_OFFSET);
        if ((flags[1 - direction] & MAXACK_SET) != 0 && lastIndex != SYN_SET) {
          boolean established = established(status);
          if (seq == 0 && !established) {
            break;
          }
          if (before(seq, maxAck[1 - direction]) && conntrack.sysctls.tcpIgnoreInvalidRst == 0) {
            conntrack.because("invalid rst");
            return -Verdict.ACCEPT;
          }
          if (!established
              || seq == maxAck[1 - direction]
              || lastIndex == ACK_SET && lastDirection == direction && seq == lastEnd) {
            break;
          }
          // Not exactly at the window's left edge (RFC 5961): the receiver may send a challenge.
          newState = oldState;
        }
        boolean answersIgnored =
            (status & IPS_SEEN_REPLY) != 0 && lastIndex == SYN_SET && lastDirection != direction
                || (status & IPS_ASSURED) == 0 && lastIndex == ACK_SET;
        if (answersIgnored && ack == lastEnd) {
          skipWindow = true;
        } else if (oldState == SYN_SENT
            && lastIndex == ACK_SET
            && lastDirection == REPLY
            && seq == lastAck) {
          skipWindow = true;
        }
        break;
      default:
        break;
    }

    if (!skipWindow) {
      switch (inWindow(skb, offset, direction, index, bits)) {
        case LET_PASS:
          return Verdict.ACCEPT;
        case INVALID:
          invalidClose(ct, status, direction, index);
          return -Verdict.ACCEPT;
        default:
          break;
      }
    }
    return accepted(skb, ct, status, direction, index, bits, oldState, newState);
  }

  /** The ignored SYN was right: what it said becomes what is known. */
  private void resynchronise(int direction) {
    end[lastDirection] = lastEnd;
    maxEnd[lastDirection] = lastEnd;
    maxWindow[lastDirection] = lastWindow == 0 ? 1 : lastWindow;
    scale[lastDirection] = lastScale;
    lastFlags &= ~EXP_CHALLENGE_ACK;
    flags[lastDirection] = lastFlags;
    end[direction] = 0;
    maxEnd[direction] = 0;
    maxWindow[direction] = 0;
    maxAck[direction] = 0;
    scale[direction] = 0;
    flags[direction] &= BE_LIBERAL;
  }

  /** A segment that passes and changes no state; what it said is kept in case it is answered. */
  private int ignored(SkBuff skb, int offset, int direction, int index, int bits, int oldState) {
    lastIndex = index;
    lastDirection = direction;
    lastSeq = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
    lastEnd = endOf(skb, offset, bits);
    lastWindow = skb.u16(offset + TcpHeader.WINDOW_OFFSET);
    if (index == SYN_SET && direction == ORIGINAL) {
      options(skb, offset);
      lastFlags = optionFlags;
      lastScale = (optionFlags & WINDOW_SCALE) != 0 ? optionScale : 0;
      if (oldState == LAST_ACK) {
        lastFlags |= EXP_CHALLENGE_ACK;
      }
    }
    if (oldState == SYN_SENT && index == ACK_SET && direction == REPLY) {
      lastAck = skb.u32(offset + TcpHeader.ACK_OFFSET);
    }
    if (skb.trace != null) {
      conntrack.because(describe("ignored", index, direction, oldState));
    }
    return Verdict.ACCEPT;
  }

  private static String describe(String what, int index, int direction, int state) {
    return "packet (index "
        + index
        + ") in dir "
        + direction
        + " "
        + what
        + ", state "
        + NAMES[state];
  }

  private int accepted(
      SkBuff skb,
      int ct,
      int status,
      int direction,
      int index,
      int bits,
      int oldState,
      int newState) {
    lastIndex = index;
    lastDirection = direction;
    state = newState;
    if (oldState != newState && newState == FIN_WAIT) {
      flags[direction] |= CLOSE_INIT;
    }

    int[] timeouts = conntrack.timeouts(ct, conntrack.sysctls.tcp);
    int timeout = timeouts[newState];
    boolean longerThanRetrans = Integer.compareUnsigned(timeout, timeouts[RETRANS]) > 0;
    if (retransmissions >= conntrack.sysctls.tcpMaxRetrans && longerThanRetrans) {
      timeout = timeouts[RETRANS];
    } else if (index == RST_SET) {
      timeout = timeouts[CLOSE];
    } else if (((flags[0] | flags[1]) & DATA_UNACKNOWLEDGED) != 0
        && Integer.compareUnsigned(timeout, timeouts[UNACK]) > 0) {
      timeout = timeouts[UNACK];
    } else if (lastWindow == 0 && longerThanRetrans) {
      timeout = timeouts[RETRANS];
    }

    if (newState != oldState) {
      conntrack.cacheEvent(ct, ConntrackEvents.PROTOINFO);
    }
    if ((status & IPS_SEEN_REPLY) == 0) {
      if ((bits & TcpHeader.RST) != 0) {
        conntrack.account(ct, direction, skb.length());
        store(ct);
        conntrack.delete(ct);
        return Verdict.ACCEPT;
      }
      if (index == SYN_SET && oldState == SYN_SENT) {
        // A repeated SYN keeps nothing alive.
        return Verdict.ACCEPT;
      }
      if (newState == ESTABLISHED && Integer.compareUnsigned(timeout, timeouts[UNACK]) > 0) {
        timeout = timeouts[UNACK];
      }
    } else if ((status & IPS_ASSURED) == 0
        && (oldState == SYN_RECV || oldState == ESTABLISHED)
        && newState == ESTABLISHED) {
      conntrack.addStatus(ct, IPS_ASSURED);
      conntrack.cacheEvent(ct, ConntrackEvents.ASSURED);
    }
    conntrack.refresh(ct, skb.ctInfo, skb, timeout);
    return Verdict.ACCEPT;
  }
}
