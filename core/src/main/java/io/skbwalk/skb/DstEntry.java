// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/**
 * Plays struct dst_entry: where a packet goes next. Routing makes them (a handful per route, shared
 * by all packets); a packet carries one.
 */
public abstract class DstEntry {
  /**
   * tclassid: the realm that a packet goes to in the lower, the one that it comes from in the upper
   * 16 bits; 0 for none.
   */
  public int tclassid;

  /** Plays dst_input: the next step of a packet that came in (deliver, forward, error). */
  public abstract void input(SkBuff skb);

  /** Plays dst_output: the next step of a packet that goes out. */
  public abstract void output(SkBuff skb);
}
