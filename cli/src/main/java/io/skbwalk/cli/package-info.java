// SPDX-License-Identifier: Apache-2.0

/** The commands that users type; each is thin over the model. */
package io.skbwalk.cli;
