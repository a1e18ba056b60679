// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

import static io.skbwalk.netfilter.conntrack.ConntrackStatus.IPS_SEQ_ADJUST;

import io.skbwalk.lib.Checksum;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.HookPriority;
import io.skbwalk.skb.SkBuff;
import io.skbwalk.skb.TcpHeader;
import io.skbwalk.trace.TraceEvent;

/**
 * Plays nf_conntrack_seqadj.c: after a helper has changed the length of what one side of a TCP
 * connection sent, its later sequence numbers shift, and the other side's acknowledgements shift
 * back.
 *
 * <p>Of each direction the position of the last change and the shifts before and after it are
 * known; what lies further back is not, so an old retransmission that spans two changes is shifted
 * wrongly, as in Linux.
 */
public final class SequenceAdjustment {
  /** Words of a direction: the last change's sequence number, the shift before and after it. */
  private static final int POSITION = 0;

  private static final int BEFORE = 1;
  private static final int AFTER = 2;
  private static final int WORDS = 3;

  private static final int OPTION_END = 0;
  private static final int OPTION_NOP = 1;
  private static final int OPTION_SACK = 5;
  private static final int SACK_BLOCK = 8;

  private final Conntrack conntrack;

  SequenceAdjustment(Conntrack conntrack) {
    this.conntrack = conntrack;
  }

  /**
   * Plays nf_ct_seqadj_init: everything that the packet's side sends is shifted by {@code offset}
   * from now on.
   */
  public void init(int ct, int ctInfo, int offset) {
    if (offset == 0) {
      return;
    }
    conntrack.addStatus(ct, IPS_SEQ_ADJUST);
    int direction = ConntrackInfo.direction(ctInfo);
    put(ct, direction, BEFORE, offset);
    put(ct, direction, AFTER, offset);
  }

  /**
   * Plays nf_ct_seqadj_set: the segment at {@code sequence} has become {@code offset} bytes longer.
   * A retransmission of it changes nothing.
   */
  public void set(int ct, int ctInfo, int sequence, int offset) {
    if (offset == 0) {
      return;
    }
    conntrack.addStatus(ct, IPS_SEQ_ADJUST);
    int direction = ConntrackInfo.direction(ctInfo);
    int after = get(ct, direction, AFTER);
    if (get(ct, direction, BEFORE) == after || get(ct, direction, POSITION) - sequence < 0) {
      put(ct, direction, POSITION, sequence);
      put(ct, direction, BEFORE, after);
      put(ct, direction, AFTER, after + offset);
    }
  }

  private int get(int ct, int direction, int word) {
    return conntrack.extension(
        ct, ConntrackExtensions.SEQUENCE_ADJUSTMENT + direction * WORDS + word);
  }

  private void put(int ct, int direction, int word, int value) {
    conntrack.setExtension(
        ct, ConntrackExtensions.SEQUENCE_ADJUSTMENT + direction * WORDS + word, value);
  }

  /** Plays nf_ct_seq_offset: by how much {@code sequence} of a direction is shifted. */
  public int offset(int ct, int direction, int sequence) {
    if (!conntrack.has(ct, IPS_SEQ_ADJUST)) {
      return 0;
    }
    return shift(ct, direction, sequence);
  }

  private int shift(int ct, int direction, int sequence) {
    boolean after = get(ct, direction, POSITION) - sequence < 0;
    return get(ct, direction, after ? AFTER : BEFORE);
  }

  /** By how much a number that the other side acknowledges, already shifted, is shifted back. */
  private int shiftBack(int ct, int direction, int sequence) {
    return shift(ct, direction, sequence - get(ct, direction, BEFORE));
  }

  /**
   * Plays nf_ct_seq_adjust: shifts the numbers of a segment; false when it is too short or its
   * options are not whole.
   */
  boolean adjust(Hook hook, SkBuff skb, int offset) {
    int end = offset + TcpHeader.MIN_LENGTH;
    if (skb.tail < end) {
      return false;
    }
    int ct = skb.ct;
    int direction = ConntrackInfo.direction(skb.ctInfo);
    int sequence = skb.u32(offset + TcpHeader.SEQUENCE_OFFSET);
    int shift = shift(ct, direction, sequence);
    replace(skb, offset, offset + TcpHeader.SEQUENCE_OFFSET, sequence + shift);
    if ((TcpHeader.flags(skb, offset) & TcpHeader.ACK) == 0) {
      tell(hook, skb, shift, 0);
      return true;
    }
    int acknowledged = skb.u32(offset + TcpHeader.ACK_OFFSET);
    int back = shiftBack(ct, 1 - direction, acknowledged);
    replace(skb, offset, offset + TcpHeader.ACK_OFFSET, acknowledged - back);
    tell(hook, skb, shift, -back);
    return adjustSack(skb, offset, ct, 1 - direction);
  }

  /** Plays nf_ct_sack_adjust. */
  private boolean adjustSack(SkBuff skb, int offset, int ct, int direction) {
    int end = offset + TcpHeader.headerLength(skb, offset);
    if (skb.tail < end) {
      return false;
    }
    for (int at = offset + TcpHeader.MIN_LENGTH; at < end; ) {
      int kind = skb.u8(at);
      if (kind == OPTION_END) {
        return true;
      }
      if (kind == OPTION_NOP) {
        at++;
        continue;
      }
      if (at + 1 == end) {
        return false;
      }
      int length = skb.u8(at + 1);
      if (length < 2 || at + length > end) {
        return false;
      }
      if (kind == OPTION_SACK && length > 2 && (length - 2) % SACK_BLOCK == 0) {
        for (int edge = at + 2; edge < at + length; edge += 4) {
          int sequence = skb.u32(edge);
          replace(skb, offset, edge, sequence - shiftBack(ct, direction, sequence));
        }
      }
      at += length;
    }
    return true;
  }

  private static void replace(SkBuff skb, int offset, int field, int value) {
    int check = offset + TcpHeader.CHECKSUM_OFFSET;
    skb.setU16(check, Checksum.replace32(skb.u16(check), skb.u32(field), value));
    skb.setU32(field, value);
  }

  private void tell(Hook hook, SkBuff skb, int sequence, int acknowledgement) {
    if (skb.trace == null || sequence == 0 && acknowledgement == 0) {
      return;
    }
    StringBuilder text = new StringBuilder(64);
    if (sequence != 0) {
      text.append("sequence number ").append(signed(sequence));
    }
    if (acknowledgement != 0) {
      text.append(text.length() == 0 ? "" : ", ")
          .append("acknowledgement ")
          .append(signed(acknowledgement));
    }
    text.append(
        conntrack.hasSynproxy(skb.ct)
            ? " between the cookie and the server's number"
            : " for the payload that was rewritten");
    skb.trace.on(
        new TraceEvent.HookStep(
            hook.name(), HookPriority.CONNTRACK_CONFIRM, "seqadj", text.toString()));
  }

  private static String signed(int number) {
    return number > 0 ? "+" + number : Integer.toString(number);
  }
}
