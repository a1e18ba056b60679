// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

/**
 * Where a capture breaks off. What came before it was read; {@link #toString} is the sentence for
 * the user.
 *
 * @param file the capture's name as the user gave it
 * @param frame the number, from 1, of the frame that is cut or that would have come next
 * @param offset the byte (of the uncompressed capture) at which the cut record begins
 * @param missing how many bytes of that record are missing, at least: where its length itself is
 *     cut off, those up to the end of its header
 */
public record Truncation(String file, long frame, long offset, long missing) {
  @Override
  public String toString() {
    return file
        + ": cut short in the record at byte "
        + offset
        + ", where frame "
        + frame
        + " would be: "
        + missing
        + (missing == 1 ? " byte is" : " bytes are")
        + " missing";
  }
}
