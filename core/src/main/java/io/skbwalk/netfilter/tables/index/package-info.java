// SPDX-License-Identifier: Apache-2.0

/**
 * Which rules of a table may match a packet, without trying all of them. {@link
 * io.skbwalk.netfilter.tables.index.RuleIndex} explains how.
 */
package io.skbwalk.netfilter.tables.index;
