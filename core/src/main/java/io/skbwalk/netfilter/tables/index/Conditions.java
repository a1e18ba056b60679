// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

import java.util.ArrayList;
import java.util.List;

/**
 * What one match tells the index that it asks of a packet. All that it tells must hold for it to
 * match.
 */
public final class Conditions {
  /** What a match does besides asking for what it told. */
  public enum Beyond {
    /** Nothing: it matches when all of that holds, so it need not be asked. */
    NOTHING,
    /** It looks at more of the packet, remembers nothing and never sets hotdrop. */
    READS,
    /**
     * It remembers what it saw, or may set hotdrop: nothing may be asked before it that stands
     * behind.
     */
    ACTS,
    /** It may also change the packet. */
    CHANGES
  }

  private final int protocol;
  final List<Condition> told = new ArrayList<>();
  boolean refused;

  /** Of a rule that asks for this protocol; 0 for one that does not. */
  Conditions(int protocol) {
    this.protocol = protocol;
  }

  /** The key is from {@code low} to {@code high}, numbers without sign. */
  public void range(PacketKey key, int low, int high, boolean inverted) {
    add(Condition.range(key, low, high, inverted));
  }

  /** The key is {@code value} under {@code mask}. */
  public void masked(PacketKey key, int value, int mask, boolean inverted) {
    add(Condition.masked(key, value, mask, inverted));
  }

  /**
   * The key is in one of some ranges.
   *
   * @param other a second key, of which the same would do; null for none
   */
  public void anyOf(PacketKey key, PacketKey other, int[] low, int[] high, boolean inverted) {
    int[] ranges = new int[2 * low.length];
    for (int i = 0; i < low.length; i++) {
      ranges[2 * i] = low[i];
      ranges[2 * i + 1] = high[i];
    }
    add(new Condition(key, other, key.highest(), ranges, inverted));
  }

  /** It is no fragment but the first: the transport header is in it. */
  public void hasTransport() {
    range(PacketKey.FRAGMENT, 0, 0, false);
  }

  private void add(Condition condition) {
    if (!PacketKeys.mayAsk(condition.key(), protocol)) {
      // Only for packets of its protocol is the key read as the match reads it.
      refused = true;
      return;
    }
    if ((condition.key().bit & PacketKeys.TRANSPORT) != 0) {
      hasTransport();
    }
    if (!condition.isAlwaysTrue() && !told.contains(condition)) {
      told.add(condition);
    }
  }
}
