// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Plays struct ip_ct_tcp with its two struct ip_ct_tcp_state: the connection at hand, taken out of
 * {@link ConntrackMemory} by {@link #load} and put back by {@link #store}.
 */
final class TcpConnection {
  // IP_CT_TCP_FLAG_: what is known of one side.
  static final int WINDOW_SCALE = 0x01;
  static final int SACK_PERM = 0x02;
  static final int CLOSE_INIT = 0x04;
  static final int BE_LIBERAL = 0x08;
  static final int DATA_UNACKNOWLEDGED = 0x10;
  static final int MAXACK_SET = 0x20;

  // Flags of the last segment seen.
  static final int EXP_CHALLENGE_ACK = 0x40;
  static final int SIMULTANEOUS_OPEN = 0x80;

  private static final int WORDS = ConntrackMemory.PROTOCOL_WORDS;
  private static final int WORD_STATE = WORDS + 9;

  // By side, which is the direction that it sends in.

  /** td_end: behind the highest sequence number sent. */
  final int[] end = new int[2];

  /** td_maxend: the highest end that the other side's window allows. */
  final int[] maxEnd = new int[2];

  /** td_maxwin: the largest window announced, unsigned; 0 before the first segment. */
  final int[] maxWindow = new int[2];

  /** td_maxack: the highest acknowledgement sent. */
  final int[] maxAck = new int[2];

  /** td_scale: how far its windows are shifted. */
  final int[] scale = new int[2];

  /** What is known of it, IP_CT_TCP_FLAG_. */
  final int[] flags = new int[2];

  /** One of {@link TcpStates}. */
  int state;

  int lastDirection;

  /** How often the last segment was repeated, at most 255. */
  int retransmissions;

  /** The kind of the last segment, as in {@link TcpStates#index}. */
  int lastIndex;

  int lastSeq;
  int lastAck;
  int lastEnd;
  int lastWindow;
  int lastScale;
  int lastFlags;

  /** The state of an entry. */
  static int state(ConntrackMemory memory, int ct) {
    return memory.get(ct, WORD_STATE) & 0xFF;
  }

  /** Sets the state of an entry that is not at hand; the one before it. */
  static int setState(ConntrackMemory memory, int ct, int state) {
    int word = memory.get(ct, WORD_STATE);
    memory.set(ct, WORD_STATE, word & ~0xFF | state);
    return word & 0xFF;
  }

  /** Where a side of an entry has come to (td_end). */
  static int end(ConntrackMemory memory, int ct, int side) {
    return memory.get(ct, WORDS + 4 * side);
  }

  /** The largest window of a side of an entry (td_maxwin). */
  static int maxWindow(ConntrackMemory memory, int ct, int side) {
    return memory.get(ct, WORDS + 4 * side + 2);
  }

  /** The windows of an entry are unknown, as before its first segment. */
  static void forgetWindows(ConntrackMemory memory, int ct) {
    memory.set(ct, WORDS + 2, 0);
    memory.set(ct, WORDS + 4 + 2, 0);
  }

  void load(ConntrackMemory memory, int ct) {
    int[] words = memory.chunk(ct);
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

  void store(ConntrackMemory memory, int ct) {
    int[] words = memory.chunk(ct);
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

  /** A connection of which nothing is known yet. */
  void clear() {
    for (int side = 0; side < 2; side++) {
      reset(side);
      flags[side] = 0;
    }
    state = TcpStates.NONE;
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

  /** Plays nf_ct_tcp_state_reset: a side that introduces itself once more. */
  void reset(int side) {
    end[side] = 0;
    maxEnd[side] = 0;
    maxWindow[side] = 0;
    maxAck[side] = 0;
    scale[side] = 0;
    flags[side] &= BE_LIBERAL;
  }

  /** Does either side have this flag? */
  boolean either(int flag) {
    return ((flags[0] | flags[1]) & flag) != 0;
  }
}
