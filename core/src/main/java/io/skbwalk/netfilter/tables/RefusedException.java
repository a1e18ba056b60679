// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/**
 * Plays the error of a checkentry that asks the machine: thrown by {@code bind} when this machine
 * has not what the rule needs. The table tells it as an error at the rule.
 */
public final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Refused because of {@code what}, for the user. */
  public RefusedException(String what) {
    super(what);
  }
}
