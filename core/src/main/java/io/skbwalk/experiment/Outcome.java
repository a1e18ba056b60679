// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.lib.SourcePosition;
import java.util.List;

/**
 * How one experiment ended.
 *
 * @param file the file that it is in
 * @param at where it is written
 * @param packets how many were sent
 * @param expectations how many were looked at
 * @param failures what does not hold; empty when all does
 */
public record Outcome(
    String file,
    String name,
    SourcePosition at,
    int packets,
    int expectations,
    List<Failure> failures) {
  /** Copies the list. */
  public Outcome {
    failures = List.copyOf(failures);
  }

  /** Does everything hold? */
  public boolean holds() {
    return failures.isEmpty();
  }
}
