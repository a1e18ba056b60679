// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.diff;

import java.util.Locale;

/** What of a packet is not the same on both machines; of several the first counts. */
public enum Change {
  /** Delivered, forwarded, dropped, rejected, ..., and why it was dropped. */
  FATE,
  /** Addresses or ports where its way ends. */
  NAT,
  /** The interface that it leaves on. */
  INTERFACE,
  /** Its mark or its connection's. */
  MARK,
  /** Its type of service or time to live. */
  HEADER;

  /** As JSON has it. */
  public final String label = name().toLowerCase(Locale.ROOT);
}
