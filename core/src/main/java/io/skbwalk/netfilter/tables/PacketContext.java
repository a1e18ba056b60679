// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.device.NetDevice;
import io.skbwalk.netfilter.Hook;
import io.skbwalk.netfilter.LogLine;
import io.skbwalk.skb.SkBuff;

/**
 * Plays struct xt_action_param: what a table tells its matches and targets of the packet at hand.
 * One object per table, reused for every packet.
 */
public final class PacketContext {
  /** The machine. */
  public final Environment environment;

  /** The table that asks. */
  public final TableKind table;

  /** Where. */
  public Hook hook;

  /** The interface that it came in on, or null. */
  public NetDevice in;

  /** The interface that it will leave on, or null. */
  public NetDevice out;

  /** Fragment offset in units of 8 bytes. */
  public int fragmentOffset;

  /** Offset of the transport header from the start of the buffer. */
  public int transport;

  /** Set by a match: drop the packet at once. */
  public boolean hotdrop;

  /** For one table of one machine. */
  PacketContext(Environment environment, TableKind table) {
    this.environment = environment;
    this.table = table;
  }

  /** Writes a line about the packet to the kernel's log; {@code flags} are {@link LogLine}'s. */
  public void log(SkBuff skb, String prefix, int level, int flags) {
    long now = environment.net().clock.now();
    LogLine.write(environment.log(), now, skb, in, out, prefix, level, flags);
  }
}
