// SPDX-License-Identifier: Apache-2.0

/** Handshakes answered in a server's place (net/netfilter/nf_synproxy_core.c). */
package io.skbwalk.netfilter.synproxy;
