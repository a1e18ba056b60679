// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.skb;

/**
 * Plays enum skb_drop_reason (include/net/dropreason-core.h, Linux 6.18): why a packet was freed
 * without having been used. The constants are those that this machine model can give, by the names
 * that the kernel's kfree_skb tracepoint prints.
 */
public enum DropReason {
  /** No better reason is given by the function that dropped it. */
  NOT_SPECIFIED,
  /** No socket for the transport header's ports. */
  NO_SOCKET,
  /** The socket was closed with the packet still queued. */
  SOCKET_CLOSE,
  /** A socket's filter refused it. */
  SOCKET_FILTER,
  /** The socket's receive buffer is full. */
  SOCKET_RCVBUFF,
  /** Shorter than its headers. */
  PKT_TOO_SMALL,
  /** Wrong TCP checksum. */
  TCP_CSUM,
  /** Wrong UDP checksum. */
  UDP_CSUM,
  /** A hook function said DROP. */
  NETFILTER_DROP,
  /** Its destination Ethernet address is another machine's. */
  OTHERHOST,
  /** Wrong IP header checksum. */
  IP_CSUM,
  /** Something is wrong with the IP header. */
  IP_INHDR,
  /** The source fails reverse-path validation. */
  IP_RPFILTER,
  /** An IP unicast destination in a link-layer multicast frame. */
  UNICAST_IN_L2_MULTICAST,
  /** An IPsec policy refused it. */
  XFRM_POLICY,
  /** No handler for its IP protocol. */
  IP_NOPROTO,
  /** The protocol's memory limit. */
  PROTO_MEM,
  /** The socket's backlog is full. */
  SOCKET_BACKLOG,
  /** TCP options that make no sense where a signature may be. */
  TCP_AUTH_HDR,
  /** A TCP MD5 signature that nobody expects. */
  TCP_MD5UNEXPECTED,
  /** Invalid TCP flags. */
  TCP_FLAGS,
  /** An unexpected SYN. */
  TCP_INVALID_SYN,
  /** The TCP socket is closed. */
  TCP_CLOSE,
  /** An invalid RST. */
  TCP_RESET,
  /** No route for a packet that the host sends. */
  IP_OUTNOROUTES,
  /** No neighbour entry could be made. */
  NEIGH_CREATEFAIL,
  /** The neighbour did not answer. */
  NEIGH_FAILED,
  /** Too many packets wait for the neighbour. */
  NEIGH_QUEUEFULL,
  /** The neighbour entry is dead. */
  NEIGH_DEAD,
  /** The transmit queue refused it. */
  QDISC_DROP,
  /** The receive backlog is full. */
  CPU_BACKLOG,
  /** No packet type takes its EtherType. */
  UNHANDLED_PROTO,
  /** Its checksum could not be computed. */
  SKB_CSUM,
  /** A malformed device header. */
  DEV_HDR,
  /** The device is not up. */
  DEV_READY,
  /** The ring is full. */
  FULL_RING,
  /** Out of memory. */
  NOMEM,
  /** A header is truncated. */
  HDR_TRUNC,
  /** Wrong ICMP checksum. */
  ICMP_CSUM,
  /** IPv6 is switched off. */
  IPV6DISABLED,
  /** Against the protocol's RFC, such as a broadcast ICMP timestamp. */
  INVALID_PROTO,
  /** The destination host is unreachable. */
  IP_INADDRERRORS,
  /** The destination network is unreachable. */
  IP_INNOROUTES,
  /** Its source is one of this machine's own addresses. */
  IP_LOCAL_SOURCE,
  /** Its source cannot be one: multicast, broadcast or zero net. */
  IP_INVALID_SOURCE,
  /** A loopback address from outside. */
  IP_LOCALNET,
  /** Its destination cannot be one. */
  IP_INVALID_DEST,
  /** Larger than the MTU and not to be fragmented. */
  PKT_TOO_BIG,
  /** A fragment that is there already. */
  DUP_FRAG,
  /** Its other fragments did not come in time. */
  FRAG_REASM_TIMEOUT,
  /** A fragment too far from its predecessors. */
  FRAG_TOO_FAR,
  /** Its TTL is under the socket's minimum. */
  TCP_MINTTL,
  /** A packet socket could not take it. */
  PACKET_SOCK_ERROR,
  /** Its queue was emptied. */
  QUEUE_PURGE,
  /** The stack was entered too many times for one packet. */
  RECURSION_LIMIT;
}
