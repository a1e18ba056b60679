// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.device.NetDevice;

/**
 * Plays struct fib_result as far as rpfilter reads it: the answer of {@link
 * Ipv4Operations#reversePath}. Mutable and reused.
 */
public final class ReversePath {
  /** An RTN_ constant of {@link Ipv4Operations}; RTN_UNSPEC when there is no route. */
  public int type;

  /** The interface that the route leaves on, of a local route the one that has the address. */
  public NetDevice device;
}
