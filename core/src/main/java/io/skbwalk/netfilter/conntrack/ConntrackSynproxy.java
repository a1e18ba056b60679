// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.conntrack;

/**
 * Plays struct nf_conn_synproxy: what is kept of a connection whose handshake this machine answered
 * in the server's place. {@link ConntrackExtensions#SYNPROXY} is the handle.
 */
public final class ConntrackSynproxy extends Slab {
  /** The initial sequence number that the client was told. */
  public static final int ISN = 0;

  /** The timestamp that the client was told. */
  public static final int INITIAL_TIMESTAMP = 1;

  /** By how much the server's timestamps are larger than what the client is told. */
  public static final int TIMESTAMP_SHIFT = 2;

  private static final int WORD_SHIFT = 2;

  ConntrackSynproxy() {
    super(WORD_SHIFT);
  }
}
