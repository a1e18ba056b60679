// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

/** No machine can be made as it is described; the message is for users. */
public final class HostException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Object element;

  /** Something is wrong about {@code element}. */
  HostException(Object element, String problem) {
    super(problem);
    this.element = element;
  }

  /**
   * What is wrong: the very record of the {@link HostDescription}, or the name of a sysctl as a
   * String.
   */
  public Object element() {
    return element;
  }
}
