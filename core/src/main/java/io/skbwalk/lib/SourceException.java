// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/** Something that a user wrote is wrong; the message says what, and what would be right. */
public final class SourceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient SourcePosition position;

  /** An error at {@code position}; {@code problem} is one line without a final stop. */
  public SourceException(SourcePosition position, String problem) {
    super(position + ": " + problem);
    this.position = position;
  }

  /** Where. */
  public SourcePosition position() {
    return position;
  }
}
