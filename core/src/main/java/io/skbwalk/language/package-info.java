// SPDX-License-Identifier: Apache-2.0

/**
 * What people write, to the model and back: hosts, rules and packet scenarios in YAML, rules as
 * iptables-save text. Every error names file, line and column and says what would be right.
 */
package io.skbwalk.language;
