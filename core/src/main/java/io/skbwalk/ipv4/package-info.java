// SPDX-License-Identifier: Apache-2.0

/**
 * The IPv4 layer: receive, forward, output, options, reassembly and ICMP (Linux: net/ipv4). Sockets
 * and transport protocols lie above.
 */
package io.skbwalk.ipv4;
