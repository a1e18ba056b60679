// SPDX-License-Identifier: Apache-2.0

/** Arithmetic that knows no packet: the Internet checksum, addresses in text (Linux: lib/). */
package io.skbwalk.lib;
