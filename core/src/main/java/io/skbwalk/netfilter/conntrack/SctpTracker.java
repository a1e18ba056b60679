// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;

import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.SkBuff;
import java.util.zip.CRC32C;

/** Plays nf_conntrack_proto_sctp.c (RFC 9260): associations by their chunks and tags. */
final class SctpTracker {
  /** The states by number, as conntrack -L prints them. */
  static final String[] NAMES = {
    "NONE",
    "CLOSED",
    "COOKIE_WAIT",
    "COOKIE_ECHOED",
    "ESTABLISHED",
    "SHUTDOWN_SENT",
    "SHUTDOWN_RECD",
    "SHUTDOWN_ACK_SENT",
    "HEARTBEAT_SENT"
  };

  private static final int NONE = 0;
  private static final int CLOSED = 1;
  private static final int ESTABLISHED = 4;
  private static final int INVALID_HERE = 9;

  private static final int DATA = 0;
  private static final int INIT = 1;
  private static final int INIT_ACK = 2;
  private static final int HEARTBEAT = 4;
  private static final int HEARTBEAT_ACK = 5;
  private static final int ABORT = 6;
  private static final int SHUTDOWN = 7;
  private static final int SHUTDOWN_ACK = 8;
  private static final int ERROR = 9;
  private static final int COOKIE_ECHO = 10;
  private static final int COOKIE_ACK = 11;
  private static final int SHUTDOWN_COMPLETE = 14;

  /** SCTP_CHUNK_FLAG_T: the tag is the peer's. */
  private static final int FLAG_T = 1;

  private static final int HEADER_LENGTH = 12;
  private static final int CHECKSUM_OFFSET = 8;
  private static final int INIT_LENGTH = 16;

  /**
   * sctp_conntracks: by direction, chunk and state the state after it; I invalid. Columns: NONE,
   * CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED, SHUTDOWN_SENT, SHUTDOWN_RECD,
   * SHUTDOWN_ACK_SENT, HEARTBEAT_SENT.
   */
  private static final byte[][][] NEXT_STATE = {
    {
      row("1 1 2 3 4 1 1 7 2"), // INIT
      row("1 1 2 3 4 5 6 7 1"), // INIT_ACK
      row("1 1 1 1 1 1 1 1 1"), // ABORT
      row("1 1 2 3 5 5 6 7 1"), // SHUTDOWN
      row("7 1 2 3 4 7 7 7 7"), // SHUTDOWN_ACK
      row("1 1 2 3 4 5 6 7 1"), // ERROR
      row("1 1 3 3 4 5 6 7 1"), // COOKIE_ECHO
      row("1 1 2 4 4 5 6 7 1"), // COOKIE_ACK
      row("1 1 2 3 4 5 6 1 1"), // SHUTDOWN_COMPLETE
      row("8 1 2 3 4 5 6 7 8"), // HEARTBEAT
      row("1 1 2 3 4 5 6 7 8"), // HEARTBEAT_ACK
    },
    {
      row("I 1 2 3 4 5 6 7 I"),
      row("I 2 2 3 4 5 6 7 I"),
      row("I 1 1 1 1 1 1 1 I"),
      row("I 1 2 3 6 5 6 7 I"),
      row("I 1 2 3 4 7 7 7 I"),
      row("I 1 2 1 4 5 6 7 I"),
      row("I 1 3 3 4 5 6 7 I"),
      row("I 1 2 4 4 5 6 7 I"),
      row("I 1 2 3 4 5 6 1 I"),
      row("I 1 2 3 4 5 6 7 8"),
      row("I 1 2 3 4 5 6 7 4"),
    }
  };

  private static final int WORD_STATE = ConntrackMemory.PROTOCOL_WORDS;
  private static final int WORD_TAG = ConntrackMemory.PROTOCOL_WORDS + 1;
  private static final int TAG_FAILED = 1 << 16;
  private static final int LAST_REPLY = 1 << 8;
  private static final int INIT_SEEN = 1 << 24;

  private final Conntrack conntrack;
  private final CRC32C crc = new CRC32C();
  private final byte[] noChecksum = new byte[4];

  /** Which chunk types the packet has; only the known ones, below 64, matter. */
  private long chunks;

  SctpTracker(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  private static byte[] row(String states) {
    byte[] row = new byte[9];
    for (int i = 0; i < row.length; i++) {
      char state = states.charAt(2 * i);
      row[i] = (byte) (state == 'I' ? INVALID_HERE : state - '0');
    }
    return row;
  }

  /** The state of an entry. */
  static int state(ConntrackMemory memory, int ct) {
    return memory.get(ct, WORD_STATE) & 0xFF;
  }

  private static int row(int chunk) {
    switch (chunk) {
      case INIT:
        return 0;
      case INIT_ACK:
        return 1;
      case ABORT:
        return 2;
      case SHUTDOWN:
        return 3;
      case SHUTDOWN_ACK:
        return 4;
      case ERROR:
        return 5;
      case COOKIE_ECHO:
        return 6;
      case COOKIE_ACK:
        return 7;
      case SHUTDOWN_COMPLETE:
        return 8;
      case HEARTBEAT:
        return 9;
      case HEARTBEAT_ACK:
        return 10;
      default:
        return -1;
    }
  }

  private static int nextState(int direction, int state, int chunk) {
    int row = row(chunk);
    return row < 0 ? state : NEXT_STATE[direction][row][state];
  }

  private static int afterChunk(SkBuff skb, int at) {
    return at + (skb.u16(at + 2) + 3 & ~3);
  }

  private static boolean chunkAt(SkBuff skb, int at) {
    return at + 4 <= skb.tail;
  }

  private boolean present(int chunk) {
    return (chunks & 1L << chunk) != 0;
  }

  private boolean badChecksum(SkBuff skb, int offset) {
    crc.reset();
    crc.update(skb.head, offset, CHECKSUM_OFFSET);
    crc.update(noChecksum, 0, 4);
    crc.update(skb.head, offset + HEADER_LENGTH, skb.tail - offset - HEADER_LENGTH);
    return Integer.reverseBytes((int) crc.getValue()) != skb.u32(offset + CHECKSUM_OFFSET);
  }

  /** Plays nf_conntrack_sctp_packet. */
  int packet(Hook hook, SkBuff skb, int offset) {
    if (offset + HEADER_LENGTH > skb.tail) {
      conntrack.logInvalid(skb, Conntrack.IPPROTO_SCTP, "nf_ct_sctp: short packet ");
      return -Verdict.ACCEPT;
    }
    if (conntrack.verifies(hook) && skb.ipSummed == SkBuff.CHECKSUM_NONE) {
      if (badChecksum(skb, offset)) {
        conntrack.logInvalid(skb, Conntrack.IPPROTO_SCTP, "nf_ct_sctp: bad CRC ");
        return -Verdict.ACCEPT;
      }
      skb.ipSummed = SkBuff.CHECKSUM_UNNECESSARY;
    }
    if (!basicChecks(skb, offset)) {
      return -Verdict.ACCEPT;
    }
    int ct = skb.ct;
    int status = conntrack.status(ct);
    ConntrackMemory memory = conntrack.memory;
    int tag = skb.u32(offset + 4);
    if ((status & IPS_CONFIRMED) == 0
        && (present(ABORT)
            || present(SHUTDOWN_COMPLETE)
            || present(COOKIE_ACK)
            || !begin(skb, offset, ct, tag))) {
      conntrack.because("begins no association");
      return -Verdict.ACCEPT;
    }
    int direction = ConntrackInfo.direction(skb.ctInfo);
    if (!present(INIT)
        && !present(SHUTDOWN_COMPLETE)
        && !present(COOKIE_ECHO)
        && !present(ABORT)
        && !present(SHUTDOWN_ACK)
        && !present(HEARTBEAT)
        && !present(HEARTBEAT_ACK)
        && tag != memory.get(ct, WORD_TAG + direction)) {
      if (conntrack.tells(skb, Conntrack.IPPROTO_SCTP)) {
        conntrack.logInvalid(
            skb,
            Conntrack.IPPROTO_SCTP,
            "verification tag check failed "
                + Integer.toHexString(Integer.reverseBytes(tag))
                + " vs "
                + Integer.toHexString(Integer.reverseBytes(memory.get(ct, WORD_TAG + direction)))
                + " for dir "
                + direction);
      }
      return -Verdict.ACCEPT;
    }

    boolean ignore = false;
    int newState = NONE;
    for (int at = offset + HEADER_LENGTH;
        at < skb.tail && chunkAt(skb, at);
        at = afterChunk(skb, at)) {
      int chunk = skb.u8(at);
      int own = memory.get(ct, WORD_TAG + direction);
      int peers = memory.get(ct, WORD_TAG + 1 - direction);
      int word = memory.get(ct, WORD_STATE);
      switch (chunk) {
        case INIT:
          if (tag != 0) {
            return -Verdict.ACCEPT;
          }
          break;
        case ABORT:
        case SHUTDOWN_COMPLETE:
          if (tag != ((skb.u8(at + 1) & FLAG_T) == 0 ? own : peers)) {
            return -Verdict.ACCEPT;
          }
          break;
        case COOKIE_ECHO:
          if (tag != own) {
            return -Verdict.ACCEPT;
          }
          break;
        case COOKIE_ACK:
          word &= ~(INIT_SEEN | INIT_SEEN << 1);
          break;
        case HEARTBEAT:
          if (own == 0) {
            memory.set(ct, WORD_TAG + direction, tag);
          } else if (tag != own) {
            if (present(DATA) || ignore) {
              return -Verdict.ACCEPT;
            }
            word = word & ~LAST_REPLY | TAG_FAILED | (direction == REPLY ? LAST_REPLY : 0);
            memory.set(ct, WORD_STATE, word);
            ignore = true;
            continue;
          } else {
            word &= ~TAG_FAILED;
          }
          break;
        case HEARTBEAT_ACK:
          if (own == 0) {
            memory.set(ct, WORD_TAG + direction, tag);
          } else if (tag != own) {
            if (present(DATA)
                || ignore
                || (word & TAG_FAILED) == 0
                || (word & LAST_REPLY) != 0 == (direction == REPLY)) {
              return -Verdict.ACCEPT;
            }
            word &= ~TAG_FAILED;
            memory.set(ct, WORD_TAG + direction, tag);
            memory.set(ct, WORD_TAG + 1 - direction, 0);
          } else {
            word &= ~TAG_FAILED;
          }
          break;
        default:
          break;
      }
      memory.set(ct, WORD_STATE, word);
      int oldState = word & 0xFF;
      newState = nextState(direction, oldState, chunk);
      if (newState == INVALID_HERE) {
        if (conntrack.tells(skb, Conntrack.IPPROTO_SCTP)) {
          conntrack.logInvalid(
              skb,
              Conntrack.IPPROTO_SCTP,
              "Invalid, old_state " + oldState + ", dir " + direction + ", type " + chunk);
        }
        return -Verdict.ACCEPT;
      }
      if (chunk == INIT || chunk == INIT_ACK) {
        if (at + 4 + INIT_LENGTH > skb.tail) {
          return -Verdict.ACCEPT;
        }
        int initTag = skb.u32(at + 4);
        int known = memory.get(ct, WORD_TAG + 1 - direction);
        boolean mine = (word & INIT_SEEN << direction) != 0;
        boolean theirs = (word & INIT_SEEN << 1 - direction) != 0;
        if (chunk == INIT) {
          if (oldState == NONE || known != initTag) {
            if (mine && theirs) {
              word &= ~(INIT_SEEN << 1 - direction);
            }
            word |= INIT_SEEN << direction;
          }
          if (newState == CLOSED && oldState == CLOSED && (status & IPS_CONFIRMED) != 0) {
            // A repeated INIT keeps nothing alive.
            ignore = true;
          }
        } else if (!theirs && known != 0 && known != initTag
            || mine && theirs && known != initTag) {
          return -Verdict.ACCEPT;
        }
        memory.set(ct, WORD_TAG + 1 - direction, initTag);
      }
      memory.set(ct, WORD_STATE, word & ~0xFF | newState);
      if (oldState != newState) {
        conntrack.cacheEvent(ct, ConntrackEvents.PROTOINFO);
        if (newState == ESTABLISHED && !conntrack.has(ct, IPS_ASSURED)) {
          conntrack.addStatus(ct, IPS_ASSURED);
          conntrack.cacheEvent(ct, ConntrackEvents.ASSURED);
        }
      }
    }
    if (!ignore) {
      int[] timeouts = conntrack.timeouts(ct, conntrack.sysctls.sctp);
      conntrack.refresh(ct, skb.ctInfo, skb, timeouts[newState]);
    }
    return Verdict.ACCEPT;
  }

  /** Plays do_basic_checks: some chunks stand alone or come first. */
  private boolean basicChecks(SkBuff skb, int offset) {
    chunks = 0;
    boolean alone = false;
    int count = 0;
    for (int at = offset + HEADER_LENGTH;
        at < skb.tail && chunkAt(skb, at);
        at = afterChunk(skb, at)) {
      int chunk = skb.u8(at);
      alone |= chunk == INIT || chunk == INIT_ACK || chunk == SHUTDOWN_COMPLETE;
      if ((chunk == COOKIE_ACK || chunk == COOKIE_ECHO || alone) && count != 0
          || skb.u16(at + 2) == 0) {
        if (conntrack.tells(skb, Conntrack.IPPROTO_SCTP)) {
          conntrack.logInvalid(
              skb,
              Conntrack.IPPROTO_SCTP,
              "do_basic_checks failed. chunk num "
                  + count
                  + ", type "
                  + chunk
                  + ", len "
                  // Linux prints it as it lies in memory, and ends the line here.
                  + Short.toUnsignedInt(Short.reverseBytes((short) skb.u16(at + 2)))
                  + " flag "
                  + (alone ? "1\n" : "0\n"));
        }
        return false;
      }
      if (chunk < 64) {
        chunks |= 1L << chunk;
      }
      count++;
    }
    if (count == 0) {
      conntrack.because("no chunk");
    }
    return count != 0;
  }

  /** Plays sctp_new: false when no association can begin with this. */
  private boolean begin(SkBuff skb, int offset, int ct, int tag) {
    ConntrackMemory memory = conntrack.memory;
    memory.set(ct, WORD_STATE, NONE);
    memory.set(ct, WORD_TAG, 0);
    memory.set(ct, WORD_TAG + 1, 0);
    for (int at = offset + HEADER_LENGTH;
        at < skb.tail && chunkAt(skb, at);
        at = afterChunk(skb, at)) {
      int chunk = skb.u8(at);
      int state = nextState(ORIGINAL, NONE, chunk);
      if (state == NONE || state == INVALID_HERE) {
        return false;
      }
      if (chunk == INIT) {
        if (tag != 0 || at + 4 + INIT_LENGTH > skb.tail) {
          return false;
        }
        memory.set(ct, WORD_TAG + REPLY, skb.u32(at + 4));
      } else if (chunk == HEARTBEAT) {
        memory.set(ct, WORD_TAG + ORIGINAL, tag);
      } else if (chunk == SHUTDOWN_ACK) {
        memory.set(ct, WORD_TAG + REPLY, tag);
      }
    }
    return true;
  }
}
