// SPDX-License-Identifier: Apache-2.0

/** The five hooks, their functions by priority and the verdicts (Linux: net/netfilter/core.c). */
package io.skbwalk.netfilter;
