// SPDX-License-Identifier: Apache-2.0

/**
 * Where a packet goes: interface addresses and their settings, routing tables, policy rules, source
 * validation (Linux: net/ipv4/devinet.c, fib_frontend.c, fib_rules.c, fib_semantics.c, fib_trie.c,
 * route.c).
 */
package io.skbwalk.ipv4.route;
