// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.ipv4;

import io.skbwalk.netfilter.InetSock;
import io.skbwalk.skb.SkBuff;

/**
 * Plays inet_protos and the raw sockets: who takes packets for this machine; package transport
 * does.
 */
public interface LocalDelivery {
  /**
   * Plays raw_local_deliver: gives each raw socket that wants {@code skb} a copy. {@link
   * SkBuff#data} stands behind the IP header.
   *
   * @return true when there was one
   */
  boolean deliverRaw(SkBuff skb, int protocol);

  /**
   * Plays a protocol's handler, such as tcp_v4_rcv: takes {@code skb} over, {@link SkBuff#data} and
   * {@link SkBuff#transportHeader} behind the IP header. ICMP never comes here.
   *
   * @return false when no handler is registered for {@code protocol}; the packet is untouched then
   */
  boolean deliver(SkBuff skb, int protocol);

  /**
   * Plays inet_lookup_listener and udp4_lib_lookup: the socket that would take what comes in on
   * interface {@code iif} for {@code address} and {@code port}; null when none does.
   */
  InetSock lookupListener(int protocol, int address, int port, int iif);

  /**
   * Plays inet_lookup and udp4_lib_lookup: likewise, but a socket of which only its port is known
   * counts, too.
   */
  InetSock lookupSocket(int protocol, int address, int port, int iif);

  /**
   * Plays raw_icmp_error and a protocol's err_handler: somebody could not handle a packet of this
   * machine. {@link SkBuff#data} stands at the quoted IP header, of which the header and eight
   * bytes behind it are there; {@link SkBuff#networkHeader} and {@link SkBuff#transportHeader} are
   * the message's own. The packet is not taken over.
   *
   * @param protocol of the quoted packet
   * @param info next-hop MTU, pointer or gateway, whatever the type has; otherwise 0
   */
  void icmpError(SkBuff skb, int protocol, int info);

  /**
   * Plays ping_rcv: an echo reply, {@link SkBuff#data} behind the ICMP header. The packet is not
   * taken over.
   *
   * @return true when a ping socket wanted it
   */
  boolean deliverPing(SkBuff skb);
}
