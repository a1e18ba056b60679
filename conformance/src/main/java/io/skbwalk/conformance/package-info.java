// SPDX-License-Identifier: Apache-2.0

/** The same host, rules and frames through the model and through the running kernel, compared. */
package io.skbwalk.conformance;
