// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Comparison.Difference;
import java.io.IOException;
import java.util.List;

/**
 * A scenario that both sides have run.
 *
 * @param kernel what the kernel did; null when the model failed before it was asked
 * @param differences what differs, the first first
 */
record Compared(Outcome kernel, List<Difference> differences) {
  /** Runs {@code scenario} through the model and through the kernel. */
  static Compared of(Scenario scenario) throws IOException {
    Outcome model;
    try {
      model = ModelMachine.run(scenario);
    } catch (RuntimeException e) {
      StackTraceElement[] stack = e.getStackTrace();
      return new Compared(
          null,
          List.of(
              new Difference(
                  0, "the model throws " + e + (stack.length > 0 ? " at " + stack[0] : ""))));
    }
    Outcome kernel = KernelMachine.run(scenario);
    List<Difference> differences = Comparison.of(scenario, kernel, kernel, model);
    if (differences.isEmpty()) {
      return new Compared(kernel, differences);
    }
    // What the kernel itself does not do twice alike is not compared. A choice of 16 bits may fall
    // alike twice, hardly three times. Only namespaces that nobody has used before are believed.
    kernel = KernelMachine.runInNew(scenario);
    Outcome again = KernelMachine.runInNew(scenario);
    differences = Comparison.of(scenario, kernel, again, model);
    return new Compared(
        kernel,
        differences.isEmpty()
            ? differences
            : Comparison.of(scenario, again, KernelMachine.runInNew(scenario), model));
  }
}
