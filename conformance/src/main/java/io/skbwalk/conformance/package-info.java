// SPDX-License-Identifier: Apache-2.0

/**
 * The same scenario through the model and through the running kernel, and what differs.
 *
 * <p>The kernel's side is a network namespace with TAP interfaces, made by the calling thread (root
 * and Debian's iptables, conntrack and iproute2 are needed). Nothing leaves the namespace.
 */
package io.skbwalk.conformance;
