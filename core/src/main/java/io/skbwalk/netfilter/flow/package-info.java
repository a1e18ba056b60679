// SPDX-License-Identifier: Apache-2.0

/**
 * A connection's packets that are like one before meet the same rules. Here that is remembered, so
 * that they need not be judged again; counters, marks, translations and verdicts stay exact.
 */
package io.skbwalk.netfilter.flow;
