// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.transport;

import io.skbwalk.skb.IcmpHeader;
import io.skbwalk.skb.IpHeader;
import io.skbwalk.skb.SkBuff;

/**
 * Plays net/ipv4/raw.c: each raw socket of the packet's protocol gets a copy, before the protocol
 * itself.
 */
final class RawSockets {
  private Sock[] socks = {};

  void add(Sock sock) {
    socks = java.util.Arrays.copyOf(socks, socks.length + 1);
    socks[socks.length - 1] = sock;
  }

  /**
   * Plays raw_local_deliver and raw_v4_input.
   *
   * @return true when a socket took it. One whose buffer is full counts as not being there, so that
   *     a packet for it alone is answered with protocol unreachable.
   */
  boolean deliver(SkBuff skb, int protocol, SocketListener listener) {
    if (protocol == IpHeader.IPPROTO_ICMP && !skb.mayPull(IcmpHeader.LENGTH)) {
      // icmp_filter cannot read the type.
      return false;
    }
    boolean delivered = false;
    int iif = Transport.iif(skb);
    for (Sock sock : socks) {
      if (!matches(sock, protocol, IpHeader.destination(skb), iif)) {
        continue;
      }
      if (sock.isFull()) {
        sock.drops++;
        continue;
      }
      delivered = true;
      sock.take(skb, skb.tail - skb.networkHeader, "raw_rcv", listener);
    }
    return delivered;
  }

  /**
   * The first socket for packets of {@code protocol} between this machine's {@code local} and
   * others.
   */
  Sock lookup(int protocol, int local, int iif) {
    for (Sock sock : socks) {
      if (matches(sock, protocol, local, iif)) {
        return sock;
      }
    }
    return null;
  }

  /** Plays raw_v4_match. */
  private static boolean matches(Sock sock, int protocol, int local, int iif) {
    return sock.protocol == protocol
        && (sock.address == 0 || sock.address == local)
        && sock.boundTo(iif);
  }
}
