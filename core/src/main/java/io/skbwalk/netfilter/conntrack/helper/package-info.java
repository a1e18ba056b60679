// SPDX-License-Identifier: Apache-2.0

/**
 * The helpers by protocol: what they find in payloads and, under NAT, write there (Linux:
 * nf_conntrack_ftp.c, nf_nat_ftp.c and so on).
 */
package io.skbwalk.netfilter.conntrack.helper;
