// SPDX-License-Identifier: Apache-2.0

/** The targets, one class each (Linux: net/netfilter/xt_*.c; iptables: extensions/libxt_*.c). */
package io.skbwalk.netfilter.tables.targets;
