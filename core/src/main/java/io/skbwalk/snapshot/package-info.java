// SPDX-License-Identifier: Apache-2.0

/**
 * A running machine as a host and its rules: reads what ip, sysctl, ss, iptables-save and ipset
 * print, and says what of it the model cannot express. Running these programs is not its job.
 */
package io.skbwalk.snapshot;
