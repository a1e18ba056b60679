// SPDX-License-Identifier: Apache-2.0

/** The figures that are to be reached, each measured beside its reference in one run. */
package io.skbwalk.bench.figures;
