// SPDX-License-Identifier: Apache-2.0

/** JMH benchmarks; a class here mirrors the class that it measures. */
package io.skbwalk.bench;
