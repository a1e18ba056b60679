// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.kernel.Clock;

/**
 * Plays net/ipv4/inetpeer.c: what this machine remembers about each address that it talks to, for
 * rate limits and for how many fragments of others came between two of one packet.
 */
final class InetPeers {
  /** inet_peer_threshold: entries kept at most, as on a machine with a gigabyte or more. */
  private static final int MOST = 65_536 + 128;

  /** XRLIM_BURST_FACTOR: messages that may be sent at once after a long silence. */
  private static final int BURST = 6;

  private static final class Peer {
    final int address;
    long rateTokens;
    long rateLast;
    int redirects;
    int fragments;
    Peer next;

    Peer(int address) {
      this.address = address;
    }
  }

  private final Clock clock;
  private Peer[] table = new Peer[256];
  private int size;

  InetPeers(Clock clock) {
    this.clock = clock;
  }

  private Peer get(int address) {
    int slot = slot(address, table.length);
    for (Peer peer = table[slot]; peer != null; peer = peer.next) {
      if (peer.address == address) {
        return peer;
      }
    }
    if (size == MOST) {
      // The kernel forgets the entries that it meets on the way; who is forgotten starts afresh.
      table = new Peer[256];
      size = 0;
    } else if (size == table.length) {
      grow();
    }
    Peer peer = new Peer(address);
    peer.rateLast = clock.jiffies() - 60L * Clock.HZ;
    slot = slot(address, table.length);
    peer.next = table[slot];
    table[slot] = peer;
    size++;
    return peer;
  }

  private void grow() {
    Peer[] larger = new Peer[table.length * 2];
    for (Peer chain : table) {
      while (chain != null) {
        Peer peer = chain;
        chain = chain.next;
        int slot = slot(peer.address, larger.length);
        peer.next = larger[slot];
        larger[slot] = peer;
      }
    }
    table = larger;
  }

  private static int slot(int address, int length) {
    int hash = address * 0x9E3779B1;
    return (hash >>> 16 ^ hash) & length - 1;
  }

  /**
   * Plays inet_peer_xrlim_allow: may a message that costs {@code timeout} ticks go to {@code
   * address} now? Six may go at once, then one each {@code timeout}.
   */
  boolean allow(int address, long timeout) {
    Peer peer = get(address);
    long now = clock.jiffies();
    long tokens = peer.rateTokens + now - peer.rateLast;
    peer.rateLast = now;
    if (tokens > BURST * timeout) {
      tokens = BURST * timeout;
    }
    boolean allowed = tokens >= timeout;
    if (allowed) {
      tokens -= timeout;
    }
    peer.rateTokens = tokens;
    return allowed;
  }

  /** The rule of ip_error: five unreachables to a host at once, then one a second. */
  boolean allowError(int address) {
    Peer peer = get(address);
    long now = clock.jiffies();
    long tokens = Math.min(peer.rateTokens + now - peer.rateLast, 5L * Clock.HZ);
    peer.rateLast = now;
    boolean allowed = tokens >= Clock.HZ;
    peer.rateTokens = allowed ? tokens - Clock.HZ : tokens;
    return allowed;
  }

  /**
   * The rule of ip_rt_send_redirect: nine redirects to a host, each after twice the pause of the
   * one before, then none until it has been silent for 20.48 s.
   *
   * @return true when one may be sent; {@link #redirected} is to be called when it was
   */
  boolean allowRedirect(int address) {
    long load = Clock.HZ / 50;
    Peer peer = get(address);
    long now = clock.jiffies();
    if (now > peer.rateLast + (load << 10)) {
      peer.rateTokens = 0;
      peer.redirects = 0;
    }
    if (peer.redirects >= 9) {
      peer.rateLast = now;
      return false;
    }
    return peer.redirects == 0 || now > peer.rateLast + (load << peer.redirects);
  }

  /** A redirect was sent to {@code address}. */
  void redirected(int address) {
    Peer peer = get(address);
    peer.rateLast = clock.jiffies();
    peer.redirects++;
  }

  /**
   * Counts one more fragment from {@code address} and returns how many there were (inet_peer.rid).
   */
  int countFragment(int address) {
    return ++get(address).fragments;
  }
}
