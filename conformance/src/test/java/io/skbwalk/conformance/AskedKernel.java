// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.skbwalk.conformance.Comparison.Difference;
import java.io.IOException;
import java.util.List;

/** Scenarios asked of the running kernel, where that can be asked. */
final class AskedKernel {
  private static final String UNAVAILABLE = KernelMachine.unavailable();

  private AskedKernel() {}

  /**
   * Skips the test, saying why, where the kernel cannot be asked; in continuous integration (the
   * environment variable CI is true) that is a failure.
   */
  static void orSkip() {
    if (UNAVAILABLE != null && "true".equals(System.getenv("CI"))) {
      fail("the kernel cannot be asked: " + UNAVAILABLE);
    }
    assumeTrue(UNAVAILABLE == null, "the kernel cannot be asked: " + UNAVAILABLE);
  }

  /** Fails with the first difference and both views of its frame. */
  static void doesAsTheModel(Scenario scenario) throws IOException {
    orSkip();
    List<Difference> differences = Compared.of(scenario).differences();
    if (!differences.isEmpty()) {
      Difference first = differences.get(0);
      fail(
          scenario.name()
              + ": "
              + first.text()
              + "\n\n"
              + scenario.rules()
              + Explanation.of(scenario, first.frame()));
    }
  }
}
