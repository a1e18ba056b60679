// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

/** An argument or a file that cannot be used; the message is the user's one line. */
final class Unusable extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Unusable(String problem) {
    super(problem);
  }
}
