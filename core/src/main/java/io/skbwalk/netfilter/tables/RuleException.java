// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/** A rule that iptables or the kernel would refuse; the message is for the user. */
public final class RuleException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Where it stands. */
  public final transient SourcePosition at;

  /** What is wrong, without its place. */
  public final String what;

  /** {@code what} is wrong at {@code at}; the message begins with the place. */
  public RuleException(SourcePosition at, String what) {
    super(at.toString().isEmpty() ? what : at + ": " + what);
    this.at = at;
    this.what = what;
  }
}
