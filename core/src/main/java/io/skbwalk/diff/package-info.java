// SPDX-License-Identifier: Apache-2.0

/** Two machines see the same frames: which of them fare differently, and whose rules are why. */
package io.skbwalk.diff;
