// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.capture;

/** A filter expression that libpcap does not take, or no libpcap; the message is one line. */
public final class FilterException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  FilterException(String problem, Throwable cause) {
    super(problem, cause);
  }
}
