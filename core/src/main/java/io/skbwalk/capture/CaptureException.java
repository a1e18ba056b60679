// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

/**
 * A capture that cannot be read, or written: where, what is wrong, and what would be right, in one
 * line.
 */
public final class CaptureException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String file;
  private final long offset;
  private final long frame;

  /**
   * @param file the capture's name as the user gave it, {@code -} for standard input
   * @param offset the byte (of the uncompressed capture) at which it was noticed, or -1 when the
   *     file as a whole is meant
   * @param frame the frame's number from 1, or 0 when it is not about a frame
   * @param problem what is wrong and what would be right, one line
   */
  public CaptureException(String file, long offset, long frame, String problem) {
    super(oneLine(place(file, offset, frame) + ": " + problem));
    this.file = file;
    this.offset = offset;
    this.frame = frame;
  }

  /** The same about the file as a whole. */
  public CaptureException(String file, String problem) {
    this(file, -1, 0, problem);
  }

  /** The capture's name as the user gave it. */
  public String file() {
    return file;
  }

  /** The byte at which it was noticed, or -1 when the file as a whole is meant. */
  public long offset() {
    return offset;
  }

  /** The frame's number from 1, or 0 when it is not about a frame. */
  public long frame() {
    return frame;
  }

  private static String place(String file, long offset, long frame) {
    if (offset < 0) {
      return file;
    }
    return file + ": " + (frame > 0 ? "frame " + frame + " at byte " : "byte ") + offset;
  }

  private static String oneLine(String text) {
    StringBuilder line = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      line.append(Character.isISOControl(text.charAt(i)) ? ' ' : text.charAt(i));
    }
    return line.toString();
  }
}
