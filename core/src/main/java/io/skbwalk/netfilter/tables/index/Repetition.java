// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.TcpHeader;

/**
 * Will a match say the same of the next packet of a connection? Only one that asks for nothing but
 * what the index knows of, and of that for what such packets have in common.
 */
public final class Repetition {
  /** The flags of segments of an established connection. */
  private static final int[] USUAL = {
    TcpHeader.ACK,
    TcpHeader.ACK | TcpHeader.PSH,
    TcpHeader.ACK | TcpHeader.FIN,
    TcpHeader.ACK | TcpHeader.FIN | TcpHeader.PSH
  };

  private static final int DIFFERS =
      PacketKey.LENGTH.bit | PacketKey.TTL.bit | PacketKey.ICMP_TYPE.bit;

  /** The next packet may be told apart from this one. */
  public final boolean varies;

  /** The index leaves the rule out for a packet that it would not leave out for the next. */
  public final boolean isIndexed;

  /** Segments with ACK are told apart by whether they have PSH or FIN, too. */
  public final boolean tellsFlagsApart;

  private Repetition(boolean varies, boolean isIndexed, boolean tellsFlagsApart) {
    this.varies = varies;
    this.isIndexed = isIndexed;
    this.tellsFlagsApart = tellsFlagsApart;
  }

  /**
   * Of one match.
   *
   * @param protocol that its rule asks for; 0 when for none
   */
  public static Repetition of(PacketMatch match, int protocol) {
    Conditions conditions = new Conditions(protocol);
    boolean varies = match.asks(conditions) != Conditions.Beyond.NOTHING || conditions.refused;
    boolean indexed = false;
    boolean flags = false;
    for (Condition condition : conditions.told) {
      int keys = condition.key().bit | (condition.other() == null ? 0 : condition.other().bit);
      indexed |= (keys & DIFFERS) != 0;
      flags |= (keys & PacketKey.TCP_FLAGS.bit) != 0 && tellsFlagsApart(condition);
    }
    return new Repetition(varies || indexed, indexed, flags);
  }

  private static boolean tellsFlagsApart(Condition condition) {
    for (int flags : USUAL) {
      if (condition.accepts(flags) != condition.accepts(TcpHeader.ACK)) {
        return true;
      }
    }
    return false;
  }
}
