// SPDX-License-Identifier: Apache-2.0

/**
 * What a packet's walk is made of: the events that the path reports while it moves the packet, and
 * who listens. Knows no other package.
 */
package io.skbwalk.trace;
