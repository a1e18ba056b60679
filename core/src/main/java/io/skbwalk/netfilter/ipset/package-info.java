// SPDX-License-Identifier: Apache-2.0

/**
 * Sets of addresses, networks, ports, interfaces and of other sets (Linux: net/netfilter/ipset),
 * which rules ask with {@code -m set} and fill with {@code -j SET}. A set is laid out as Linux lays
 * it out: the same hash, the same buckets, the same growth, so that a full set, a forced addition
 * and the order of a listing are the same too.
 */
package io.skbwalk.netfilter.ipset;
