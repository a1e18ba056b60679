// SPDX-License-Identifier: Apache-2.0

/** Address and port translation (Linux: net/netfilter/nf_nat_*.c). */
package io.skbwalk.netfilter.nat;
