// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import java.util.Locale;

/**
 * What became of a frame. When several apply, the first in this order is it:
 *
 * <ol>
 *   <li>a frame that the machine itself sent: {@link #DROPPED} when it was lost on its way out,
 *       else {@link #SENT};
 *   <li>{@link #FORWARDED}: at least one packet left that is this one;
 *   <li>{@link #DELIVERED}: a TCP or UDP socket got it;
 *   <li>{@link #DROPPED}: with the kernel's reason, also when an answer (a reset, an ICMP error)
 *       was sent because of it;
 *   <li>{@link #DELIVERED}: a raw socket got a copy;
 *   <li>{@link #ANSWERED}: echo and timestamp replies, ARP replies;
 *   <li>{@link #CONSUMED}: the stack used it: an ICMP error or ARP reply that it learned from, a
 *       fragment that waits or that became part of a datagram.
 * </ol>
 *
 * <p>The fate of a fragmented datagram stands at the fragment whose packet went on, its other
 * fragments are consumed. A packet that waits for a neighbour's address has the fate that it meets
 * later.
 */
public enum Fate {
  /** A socket of this machine got it. */
  DELIVERED,
  /** It left again. */
  FORWARDED,
  /** The stack answered it. */
  ANSWERED,
  /** The stack used it up. */
  CONSUMED,
  /** This machine sent it. */
  SENT,
  /** It was lost. */
  DROPPED;

  /** As files and summaries write it. */
  public final String label = name().toLowerCase(Locale.ROOT);
}
