// SPDX-License-Identifier: Apache-2.0

/**
 * Tables, chains, rules, matches and targets: the immutable model of what iptables is given and its
 * evaluation (Linux: net/netfilter/x_tables.c, net/ipv4/netfilter/ip_tables.c).
 */
package io.skbwalk.netfilter.tables;
