// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/**
 * Where something stands in a rule file.
 *
 * @param file as the user named it; empty for what stands in no file
 * @param line from 1
 * @param column from 1
 */
public record SourcePosition(String file, int line, int column) {
  /** What stands in no file. */
  public static final SourcePosition NONE = new SourcePosition("", 0, 0);

  /** {@code file:line}, or empty. */
  public String fileAndLine() {
    return line == 0 ? file : file + ":" + line;
  }

  /** {@code file:line:column}, or empty. */
  @Override
  public String toString() {
    return line == 0 ? file : file + ":" + line + ":" + column;
  }
}
