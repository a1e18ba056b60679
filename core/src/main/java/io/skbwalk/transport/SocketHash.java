// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

/**
 * Plays the listening and UDP hash tables (inet_hashinfo, udp_table): sockets by local port. A
 * bound address is better than a bound interface, which is better than neither; among equals the
 * one bound last wins.
 */
final class SocketHash {
  private static final int SIZE = 256;

  private final Sock[] chains = new Sock[SIZE];

  void add(Sock sock) {
    int slot = sock.port & SIZE - 1;
    sock.next = chains[slot];
    chains[slot] = sock;
  }

  /** First of the sockets that may have {@code port}; follow {@link Sock#next}. */
  Sock first(int port) {
    return chains[port & SIZE - 1];
  }

  /**
   * Plays __inet_lookup_listener and __udp4_lib_lookup: those bound to the address, then those
   * bound to none.
   *
   * @param iif index of the interface that the packet came in on
   * @return null when there is none
   */
  Sock lookup(int address, int port, int iif) {
    Sock best = scan(address, port, iif);
    return best == null && address != 0 ? scan(0, port, iif) : best;
  }

  /** A socket that may send from {@code address} and {@code port}, whatever its interface. */
  Sock owner(int address, int port) {
    Sock any = null;
    for (Sock sock = first(port); sock != null; sock = sock.next) {
      if (sock.port == port && sock.address == address) {
        return sock;
      }
      any = sock.port == port && sock.address == 0 ? sock : any;
    }
    return any;
  }

  private Sock scan(int address, int port, int iif) {
    Sock best = null;
    for (Sock sock = first(port); sock != null; sock = sock.next) {
      if (sock.port == port && sock.address == address && sock.boundTo(iif)) {
        if (sock.device != null) {
          return sock;
        }
        if (best == null) {
          best = sock;
        }
      }
    }
    return best;
  }
}
