// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.SourcePosition;

/** One word of a rule, unquoted, and where it stands. */
public record Token(String text, SourcePosition at) {
  @Override
  public String toString() {
    return text;
  }
}
