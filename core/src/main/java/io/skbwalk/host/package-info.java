// SPDX-License-Identifier: Apache-2.0

/**
 * One machine, wired from its description: interfaces, addresses, routes, sysctls, sockets, rules.
 */
package io.skbwalk.host;
