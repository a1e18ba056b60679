// SPDX-License-Identifier: Apache-2.0

/** Rule experiments: packets of a scenario, what is expected of them, and whether it holds. */
package io.skbwalk.experiment;
