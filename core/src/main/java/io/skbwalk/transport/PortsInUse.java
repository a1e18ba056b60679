// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

/**
 * Plays the established half of inet_hashinfo and udp_table as far as a capture shows it: local
 * ports from which the captured machine's own programs sent. What comes in for such a port is not
 * answered with a reset or an ICMP error. Two bits a port.
 */
public final class PortsInUse {
  private final long[] tcp = new long[1024];
  private final long[] udp = new long[1024];
  private final Sock sock = new Sock(Sock.Kind.IN_USE, 0, 0, 0, null, 0);

  /** None. */
  PortsInUse() {}

  /** A program of this machine uses TCP port {@code port}, 0 to 65535. */
  public void addTcp(int port) {
    tcp[port >> 6] |= 1L << port;
  }

  /** A program of this machine uses UDP port {@code port}, 0 to 65535. */
  public void addUdp(int port) {
    udp[port >> 6] |= 1L << port;
  }

  Sock tcp(int port) {
    return (tcp[port >> 6] >>> port & 1) != 0 ? sock : null;
  }

  Sock udp(int port) {
    return (udp[port >> 6] >>> port & 1) != 0 ? sock : null;
  }
}
