// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables.index;

/**
 * Some rules of a table, each looked up by one key that it asks for.
 *
 * @param always the rules that are not looked up by any; null for none
 * @param trees those that are
 */
record IndexLevel(RuleBits always, KeyTree[] trees) {}
