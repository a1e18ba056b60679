// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackInfo.ORIGINAL;
import static io.skbwalk.netfilter.conntrack.ConntrackInfo.REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_ASSURED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_CONFIRMED;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_FIXED_TIMEOUT;
import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEEN_REPLY;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.RETRANS;
import static io.skbwalk.netfilter.conntrack.ConntrackSysctls.UNACK;
import static io.skbwalk.netfilter.conntrack.TcpConnection.BE_LIBERAL;
import static io.skbwalk.netfilter.conntrack.TcpConnection.CLOSE_INIT;
import static io.skbwalk.netfilter.conntrack.TcpConnection.DATA_UNACKNOWLEDGED;
import static io.skbwalk.netfilter.conntrack.TcpConnection.EXP_CHALLENGE_ACK;
import static io.skbwalk.netfilter.conntrack.TcpConnection.SACK_PERM;
import static io.skbwalk.netfilter.conntrack.TcpConnection.SIMULTANEOUS_OPEN;
import static io.skbwalk.netfilter.conntrack.TcpStates.ACK_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.CLOSE;
import static io.skbwalk.netfilter.conntrack.TcpStates.ESTABLISHED;
import static io.skbwalk.netfilter.conntrack.TcpStates.FIN_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.FIN_WAIT;
import static io.skbwalk.netfilter.conntrack.TcpStates.IGNORE;
import static io.skbwalk.netfilter.conntrack.TcpStates.INVALID_HERE;
import static io.skbwalk.netfilter.conntrack.TcpStates.LAST_ACK;
import static io.skbwalk.netfilter.conntrack.TcpStates.NONE;
import static io.skbwalk.netfilter.conntrack.TcpStates.NONE_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.RST_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYNACK_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_RECV;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_SENT;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_SENT2;
import static io.skbwalk.netfilter.conntrack.TcpStates.SYN_SET;
import static io.skbwalk.netfilter.conntrack.TcpStates.TIME_WAIT;

import io.skbwalk.kernel.Clock;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.Verdict;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;

/**
 * Plays nf_conntrack_proto_tcp.c: what a segment does to its connection. {@link TcpStates} says
 * what it may lead to, {@link TcpWindow} whether it lies where it may, {@link TcpConnection} is
 * what is known.
 */
final class TcpTracker {
  private final Conntrack conntrack;
  private final TcpConnection tcp = new TcpConnection();
  private final TcpOptions options = new TcpOptions();
  private final TcpWindow window;

  TcpTracker(Conntrack conntrack) {
    this.conntrack = conntrack;
    window = new TcpWindow(conntrack, tcp, options);
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
      conntrack.logInvalid(skb, IpHeader.IPPROTO_TCP, error);
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
      tcp.load(conntrack.memory, ct);
    }
    int verdict = judge(skb, offset, ct, status, bits);
    tcp.store(conntrack.memory, ct);
    return verdict;
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
    if (!TcpStates.validFlags(TcpHeader.flags(skb, offset))) {
      return "invalid tcp flag combination";
    }
    return null;
  }

  /** Plays tcp_new: a first segment; false when no connection can begin with it. */
  private boolean begin(SkBuff skb, int offset, int bits) {
    int first = TcpStates.next(ORIGINAL, TcpStates.index(bits), NONE);
    if (first >= INVALID_HERE) {
      conntrack.logInvalid(skb, IpHeader.IPPROTO_TCP, "invalid new");
      return false;
    }
    if (first != SYN_SENT && conntrack.sysctls.tcpLoose == 0) {
      conntrack.because("no SYN, and nf_conntrack_tcp_loose is 0");
      return false;
    }
    tcp.clear();
    tcp.end[0] = TcpHeader.segmentEnd(skb, offset);
    tcp.maxWindow[0] = Math.max(skb.u16(offset + TcpHeader.WINDOW_OFFSET), 1);
    tcp.maxEnd[0] = tcp.end[0];
    if (first == SYN_SENT) {
      window.readOptions(skb, offset, ORIGINAL);
    } else {
      // Picked up on its way: the scale is unknown, so neither windows nor SACK can be insisted on.
      tcp.maxEnd[0] += tcp.maxWindow[0];
      tcp.flags[0] = SACK_PERM | BE_LIBERAL;
      tcp.flags[1] = SACK_PERM | BE_LIBERAL;
    }
    tcp.lastIndex = NONE_SET;
    return true;
  }

  private int judge(SkBuff skb, int offset, int ct, int status, int bits) {
    int oldState = tcp.state;
    int direction = ConntrackInfo.direction(skb.ctInfo);
    int index = TcpStates.index(bits);
    int newState = TcpStates.next(direction, index, oldState);
    boolean skipWindow = false;

    switch (newState) {
      case SYN_SENT:
        if (oldState < TIME_WAIT) {
          break;
        }
        if (tcp.either(CLOSE_INIT) || tcp.lastDirection == direction && tcp.lastIndex == RST_SET) {
          // The tuple is used for a new connection: forget the old one and look again.
          return conntrack.delete(ct) ? -Verdict.REPEAT : Verdict.DROP;
        }
        return ignored(skb, offset, direction, index, bits, oldState);
      case IGNORE:
        if (index == SYNACK_SET
            && tcp.lastIndex == SYN_SET
            && tcp.lastDirection != direction
            && skb.u32(offset + TcpHeader.ACK_OFFSET) == tcp.lastEnd) {
          // It acknowledges a SYN that was ignored: both ends know better than we did.
          resynchronise(direction);
          oldState = SYN_SENT;
          newState = SYN_RECV;
          break;
        }
        return ignored(skb, offset, direction, index, bits, oldState);
      case INVALID_HERE:
        if (isKeptAlive(skb, offset, index, direction, oldState)) {
          return Verdict.ACCEPT;
        }
        describe(skb, "invalid", index, direction, oldState);
        return -Verdict.ACCEPT;
      case TIME_WAIT:
        if (oldState == LAST_ACK
            && index == ACK_SET
            && tcp.lastDirection != direction
            && tcp.lastIndex == SYN_SET
            && (tcp.lastFlags & EXP_CHALLENGE_ACK) != 0) {
          // RFC 5961: this answers the SYN, not the FIN.
          tcp.lastFlags &= ~EXP_CHALLENGE_ACK;
          conntrack.logInvalid(skb, IpHeader.IPPROTO_TCP, "challenge-ack ignored");
          return Verdict.ACCEPT;
        }
        break;
      case SYN_SENT2:
        tcp.lastFlags |= SIMULTANEOUS_OPEN;
        break;
      case SYN_RECV:
        if (direction == REPLY && index == ACK_SET && (tcp.lastFlags & SIMULTANEOUS_OPEN) != 0) {
          newState = ESTABLISHED;
        }
        break;
      case CLOSE:
        if (index != RST_SET) {
          break;
        }
        switch (TcpReset.judge(conntrack, tcp, skb, offset, direction, status)) {
          case TcpReset.INVALID:
            conntrack.logInvalid(skb, IpHeader.IPPROTO_TCP, "invalid rst");
            return -Verdict.ACCEPT;
          case TcpReset.CHALLENGED:
            newState = oldState;
            break;
          case TcpReset.BELIEVED:
            skipWindow = true;
            break;
          default:
            break;
        }
        break;
      default:
        break;
    }

    if (!skipWindow) {
      switch (window.check(skb, offset, direction, index)) {
        case TcpWindow.LET_PASS:
          complain(skb);
          return Verdict.ACCEPT;
        case TcpWindow.INVALID:
          complain(skb);
          invalidClose(skb, ct, status, direction, index);
          return -Verdict.ACCEPT;
        default:
          break;
      }
    }
    return accepted(skb, ct, status, direction, index, bits, oldState, newState);
  }

  /** The ignored SYN was right: what it said becomes what is known. */
  private void resynchronise(int direction) {
    tcp.end[tcp.lastDirection] = tcp.lastEnd;
    tcp.maxEnd[tcp.lastDirection] = tcp.lastEnd;
    tcp.maxWindow[tcp.lastDirection] = tcp.lastWindow == 0 ? 1 : tcp.lastWindow;
    tcp.scale[tcp.lastDirection] = tcp.lastScale;
    tcp.lastFlags &= ~EXP_CHALLENGE_ACK;
    tcp.flags[tcp.lastDirection] = tcp.lastFlags;
    tcp.reset(direction);
  }

  /** A segment that passes and changes no state; what it said is kept in case it is answered. */
  private int ignored(SkBuff skb, int offset, int direction, int index, int bits, int oldState) {
    tcp.lastIndex = index;
    tcp.lastDirection = direction;
    tcp.lastSeq = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
    tcp.lastEnd = TcpHeader.segmentEnd(skb, offset);
    tcp.lastWindow = skb.u16(offset + TcpHeader.WINDOW_OFFSET);
    if (index == SYN_SET && direction == ORIGINAL) {
      options.read(skb, offset);
      tcp.lastFlags = options.flags;
      tcp.lastScale = options.scale;
      if (oldState == LAST_ACK) {
        tcp.lastFlags |= EXP_CHALLENGE_ACK;
      }
    }
    if (oldState == SYN_SENT && index == ACK_SET && direction == REPLY) {
      tcp.lastAck = skb.u32(offset + TcpHeader.ACK_OFFSET);
    }
    describe(skb, "ignored", index, direction, oldState);
    return Verdict.ACCEPT;
  }

  private void complain(SkBuff skb) {
    if (conntrack.tells(skb, IpHeader.IPPROTO_TCP)) {
      conntrack.logInvalid(skb, IpHeader.IPPROTO_TCP, window.complaint());
    }
  }

  /** Does the client of a SYNPROXY, whose server has not answered yet, keep itself alive? */
  private boolean isKeptAlive(SkBuff skb, int offset, int index, int direction, int oldState) {
    return oldState == SYN_SENT
        && index == ACK_SET
        && direction == ORIGINAL
        && tcp.lastDirection == ORIGINAL
        && tcp.end[direction] - 1 == skb.u32(offset + TcpHeader.SEQUENCE_OFFSET)
        && conntrack.hasSynproxy(skb.ct);
  }

  private void describe(SkBuff skb, String what, int index, int direction, int state) {
    if (conntrack.tells(skb, IpHeader.IPPROTO_TCP)) {
      String segment = "packet (index " + index + ") in dir " + direction + " " + what;
      conntrack.logInvalid(
          skb, IpHeader.IPPROTO_TCP, segment + ", state " + TcpStates.NAMES[state]);
    }
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
    tcp.lastIndex = index;
    tcp.lastDirection = direction;
    tcp.state = newState;
    if (oldState != newState && newState == FIN_WAIT) {
      tcp.flags[direction] |= CLOSE_INIT;
    }

    int[] timeouts = conntrack.timeouts(ct, conntrack.sysctls.tcp);
    int timeout = timeout(timeouts, index);
    if (newState != oldState) {
      conntrack.cacheEvent(ct, ConntrackEvents.PROTOINFO);
    }
    if ((status & IPS_SEEN_REPLY) == 0) {
      if ((bits & TcpHeader.RST) != 0) {
        conntrack.account(ct, direction, skb.length());
        tcp.store(conntrack.memory, ct);
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

  /** How long the connection may be silent after a segment of kind {@code index}, ticks. */
  private int timeout(int[] timeouts, int index) {
    int usual = timeouts[tcp.state];
    boolean longerThanRetrans = Integer.compareUnsigned(usual, timeouts[RETRANS]) > 0;
    if (tcp.retransmissions >= conntrack.sysctls.tcpMaxRetrans && longerThanRetrans) {
      return timeouts[RETRANS];
    }
    if (index == RST_SET) {
      return timeouts[CLOSE];
    }
    if (tcp.either(DATA_UNACKNOWLEDGED) && Integer.compareUnsigned(usual, timeouts[UNACK]) > 0) {
      return timeouts[UNACK];
    }
    return tcp.lastWindow == 0 && longerThanRetrans ? timeouts[RETRANS] : usual;
  }

  /** Plays nf_tcp_handle_invalid: a FIN or RST out of window, answered by another, ages sooner. */
  private void invalidClose(SkBuff skb, int ct, int status, int direction, int index) {
    if ((status & IPS_ASSURED) == 0
        || (status & IPS_FIXED_TIMEOUT) != 0
        || index != RST_SET && index != FIN_SET) {
      return;
    }
    if (tcp.lastDirection != direction && (tcp.lastIndex == FIN_SET || tcp.lastIndex == RST_SET)) {
      int expires = conntrack.expires(ct);
      int timeout = conntrack.timeouts(ct, conntrack.sysctls.tcp)[UNACK];
      if (expires >= 120 * Clock.HZ && Integer.compareUnsigned(expires, timeout) > 0) {
        if (conntrack.tells(skb, IpHeader.IPPROTO_TCP)) {
          String segment =
              "packet (index " + index + ", dir " + direction + ") response for index ";
          conntrack.logInvalid(
              skb,
              IpHeader.IPPROTO_TCP,
              segment + tcp.lastIndex + " lower timeout to " + Integer.toUnsignedString(timeout));
        }
        conntrack.setTimeout(ct, status, timeout);
      }
    } else {
      tcp.lastIndex = index;
      tcp.lastDirection = direction;
    }
  }

  /** Plays nf_conntrack_tcp_set_closing. */
  void setClosing(int ct) {
    int status = conntrack.status(ct);
    if ((status & IPS_CONFIRMED) == 0) {
      return;
    }
    if (TcpConnection.setState(conntrack.memory, ct, CLOSE) == CLOSE
        || (status & IPS_FIXED_TIMEOUT) != 0) {
      return;
    }
    conntrack.setTimeout(ct, status, conntrack.timeouts(ct, conntrack.sysctls.tcp)[CLOSE]);
    conntrack.cacheEvent(ct, ConntrackEvents.PROTOINFO);
  }
}
