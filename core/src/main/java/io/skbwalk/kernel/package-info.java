// SPDX-License-Identifier: Apache-2.0

/**
 * What the rest of the machine stands on: the virtual clock, timers and seeded randomness (Linux:
 * kernel/time, lib/random32.c). Nothing here reads the wall clock.
 */
package io.skbwalk.kernel;
