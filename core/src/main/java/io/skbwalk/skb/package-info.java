// SPDX-License-Identifier: Apache-2.0

/**
 * The packet itself: {@link io.skbwalk.skb.SkBuff} over a recycled buffer, its queues and pool, the
 * reasons for which one is dropped, and the header fields at their offsets (Linux:
 * net/core/skbuff.c and include/uapi/linux).
 */
package io.skbwalk.skb;
