// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

/** Plays struct inet_sock as far as rules look at sockets. Implemented by package transport. */
public interface InetSock {
  /** IP_TRANSPARENT: it may answer for other machines. */
  boolean isTransparent();

  /** inet_rcv_saddr is 0: it is bound to no address. */
  boolean isWildcard();

  /** sk_mark (SO_MARK). */
  int mark();
}
