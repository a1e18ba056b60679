// SPDX-License-Identifier: Apache-2.0

/**
 * Connection tracking for IPv4 (Linux: net/netfilter/nf_conntrack_*.c): the table in flat memory,
 * the protocol trackers, events, and the text forms of conntrack-tools.
 */
package io.skbwalk.netfilter.conntrack;
