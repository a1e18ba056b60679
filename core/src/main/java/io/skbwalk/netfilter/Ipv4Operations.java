// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter;

import io.skbwalk.device.NetDevice;
import io.skbwalk.skb.SkBuff;

/**
 * What hook functions, matches and targets ask of the IPv4 layer above them (Linux: struct
 * nf_ipv6_ops has the same job for IPv6). Implemented by package ipv4.
 */
public interface Ipv4Operations {
  /** {@link #addressType}: no route to it. */
  int RTN_UNSPEC = 0;

  /** {@link #addressType}: a gateway or direct route. */
  int RTN_UNICAST = 1;

  /** {@link #addressType}: one of this machine's own. */
  int RTN_LOCAL = 2;

  /** {@link #addressType}: a broadcast address. */
  int RTN_BROADCAST = 3;

  /** {@link #addressType}: anycast. */
  int RTN_ANYCAST = 4;

  /** {@link #addressType}: a multicast address. */
  int RTN_MULTICAST = 5;

  /** {@link #addressType}: a blackhole route. */
  int RTN_BLACKHOLE = 6;

  /** {@link #addressType}: an unreachable route. */
  int RTN_UNREACHABLE = 7;

  /** {@link #addressType}: a prohibit route. */
  int RTN_PROHIBIT = 8;

  /** {@link #addressType}: a throw route. */
  int RTN_THROW = 9;

  /**
   * Plays inet_addr_type and inet_dev_addr_type: RTN_ type of {@code address}, on {@code device}
   * only when not null.
   */
  int addressType(NetDevice device, int address);

  /**
   * Plays inet_select_addr with RT_SCOPE_UNIVERSE: the source address for {@code destination}; 0
   * when there is none.
   */
  int selectAddress(NetDevice device, int destination);

  /** The first of {@code device}'s addresses (ifa_list), which REDIRECT takes; 0 without any. */
  int firstAddress(NetDevice device);

  /** Plays rt_nexthop: who gets the frame of a routed packet, its gateway or its destination. */
  int nextHop(SkBuff skb);

  /**
   * Plays ip_route_me_harder: routes a packet in LOCAL_OUT anew after its address, mark or TOS
   * changed.
   *
   * @return false when there is no route; the caller drops the packet
   */
  boolean routeMeHarder(SkBuff skb);

  /** Plays dst_mtu of the packet's route, bytes. */
  int dstMtu(SkBuff skb);

  /**
   * MTU of the route back to the packet's source (as TCPMSS --clamp-mss-to-pmtu looks it up),
   * bytes.
   */
  int reverseMtu(SkBuff skb);

  /**
   * Plays the fib_lookup of rpfilter: the route that an answer to {@code skb} would take if it had
   * {@code mark}, and came from nowhere in particular where the packet is for a group or for all.
   */
  void reversePath(SkBuff skb, int mark, ReversePath path);

  /** Plays nf_send_unreach: answers with ICMP destination unreachable {@code code}. */
  void sendUnreachable(SkBuff skb, int code, Hook hook);

  /** Plays nf_send_reset: answers with a TCP RST. */
  void sendReset(SkBuff skb, Hook hook);

  /**
   * Plays synproxy_build_ip: a packet made because of {@code skb}, with {@code length} bytes of TCP
   * to be written from {@link SkBuff#transportHeader} on.
   */
  SkBuff makeSegment(SkBuff skb, int source, int destination, int length);

  /**
   * Plays synproxy_send_tcp: sums up, routes and sends what {@link #makeSegment} made.
   *
   * @param function who drops it where there is no route
   */
  void sendSegment(SkBuff segment, String function);

  /**
   * Plays nf_dup_ipv4: an untracked copy of {@code skb} leaves by way of {@code gateway}. Nothing
   * happens while a copy is on its way, so copies are not copied.
   *
   * @param device the name of the interface that it leaves on; empty, or unknown, for any
   */
  void duplicate(SkBuff skb, Hook hook, int gateway, String device);

  /**
   * Plays nf_tproxy_get_sock_v4 with NF_TPROXY_LOOKUP_LISTENER: the TCP or UDP socket that would
   * take what comes in on {@code in} for {@code address} and {@code port}; null when none does.
   */
  InetSock lookupListener(int protocol, int address, int port, NetDevice in);

  /**
   * Plays nf_socket_get_sock_v4: the TCP or UDP socket that is known to receive what comes in on
   * {@code in} for {@code address} and {@code port}; null when none does.
   */
  InetSock lookupSocket(int protocol, int address, int port, NetDevice in);

  /**
   * Plays ip_defrag for {@code user} (IP_DEFRAG_CONNTRACK_IN and so on, plus the zone).
   *
   * @return true when {@code skb} is now a whole packet; false when it was queued, dropped or
   *     absorbed
   */
  boolean defragment(SkBuff skb, int user);
}
