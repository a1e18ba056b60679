// SPDX-License-Identifier: Apache-2.0

/**
 * Interfaces and what lies between the wire and the protocols: the NIC's ring, the interrupt's top
 * half, the softirq's bottom half with NAPI, packet types, taps, VLANs, transmit (Linux:
 * net/core/dev.c, drivers/net).
 */
package io.skbwalk.device;
