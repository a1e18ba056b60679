// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import io.skbwalk.netfilter.tables.PacketMatch;
import io.skbwalk.skb.TcpHeader;

/**
 * Will a match say the same of the next packet of a connection? Only one that asks for nothing but
 * what the index knows of, and of that for what such packets have in common.
 */
public final class Repetition {
  private static final int PSH_ACK = TcpHeader.PSH | TcpHeader.ACK;

  private static final int DIFFERS =
      PacketKey.LENGTH.bit | PacketKey.TTL.bit | PacketKey.ICMP_TYPE.bit;

  /** The next packet may be told apart from this one. */
  public final boolean varies;

  /** The index leaves the rule out for a packet that it would not leave out for the next. */
  public final boolean isIndexed;

  /** Segments with PSH are told from those without. */
  public final boolean tellsPushApart;

  private Repetition(boolean varies, boolean isIndexed, boolean tellsPushApart) {
    this.varies = varies;
    this.isIndexed = isIndexed;
    this.tellsPushApart = tellsPushApart;
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
    boolean push = false;
    for (Condition condition : conditions.told) {
      int keys = condition.key().bit | (condition.other() == null ? 0 : condition.other().bit);
      indexed |= (keys & DIFFERS) != 0;
      push |=
          (keys & PacketKey.TCP_FLAGS.bit) != 0
              && condition.accepts(PSH_ACK) != condition.accepts(TcpHeader.ACK);
    }
    return new Repetition(varies || indexed, indexed, push);
  }
}
