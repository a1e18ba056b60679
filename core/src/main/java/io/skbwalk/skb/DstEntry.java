// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/**
 * Plays struct dst_entry: where a packet goes next. Routing makes them (a handful per route, shared
 * by all packets); a packet carries one.
 */
public abstract class DstEntry {
  /** Plays dst_input: the next step of a packet that came in (deliver, forward, error). */
  public abstract void input(SkBuff skb);

  /** Plays dst_output: the next step of a packet that goes out. */
  public abstract void output(SkBuff skb);
}
