// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.snapshot;

import java.util.List;

/**
 * Something of the machine that its snapshot does not have, or has otherwise.
 *
 * @param what as its tool calls it
 * @param why the reason, and what follows from it
 * @param all every one, when {@code what} is the name of many
 */
public record Omission(String what, String why, List<String> all) {
  /** Copies the list. */
  public Omission {
    all = List.copyOf(all);
  }

  /** One thing. */
  public Omission(String what, String why) {
    this(what, why, List.of());
  }

  @Override
  public String toString() {
    return what + ": " + why;
  }
}
