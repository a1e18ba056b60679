// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/** Something that a user wrote is wrong; the message says what, and what would be right. */
public final class SourceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient SourcePosition position;
  private final String problem;

  /** An error at {@code position}; {@code problem} is one line without a final stop. */
  public SourceException(SourcePosition position, String problem) {
    super(position.equals(SourcePosition.NONE) ? problem : position + ": " + problem);
    this.position = position;
    this.problem = problem;
  }

  /** Where. */
  public SourcePosition position() {
    return position;
  }

  /** What is wrong, without its place. */
  public String problem() {
    return problem;
  }
}
