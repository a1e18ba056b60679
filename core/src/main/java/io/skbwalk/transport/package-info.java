// SPDX-License-Identifier: Apache-2.0

/**
 * Who takes the packets that are for this machine: raw sockets, the demultiplexers of TCP and UDP,
 * packet sockets (Linux: net/ipv4/raw.c, tcp_ipv4.c, udp.c, net/packet). Sockets here take what
 * they are given and never answer by themselves.
 */
package io.skbwalk.transport;
