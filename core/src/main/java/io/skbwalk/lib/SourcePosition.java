// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/**
 * Where something is written.
 *
 * @param file name as the user gave it, {@code -} for standard input; empty for no file
 * @param line from 1; 0 when the file as a whole is meant
 * @param column from 1; 0 when the line as a whole is meant
 */
public record SourcePosition(String file, int line, int column) {
  /** What stands in no file. */
  public static final SourcePosition NONE = new SourcePosition("", 0, 0);

  /** {@code file:line}, as reports name a rule's source. */
  public String fileAndLine() {
    return line == 0 ? file : file + ":" + line;
  }

  /** {@code file:line:column}, as errors name a place. */
  @Override
  public String toString() {
    return column == 0 ? fileAndLine() : file + ":" + line + ":" + column;
  }
}
