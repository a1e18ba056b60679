// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Comparison.Difference;
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A scenario that both sides have run.
 *
 * @param kernel what the kernel did; null when the model failed before it was asked
 * @param differences what differs, the first first
 */
record Compared(Outcome kernel, List<Difference> differences) {
  /** How often the kernel may draw before it should have drawn twice as the model did. */
  private static final int DRAWS = 64;

  private static final int RUNS = 6;

  private static final Pattern DRAWN =
      Pattern.compile("--mode random .*--probability 0\\.\\d*[1-9]");

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
    if (draws(scenario.rules())) {
      return amongDraws(scenario, model);
    }
    // What the kernel itself does not do twice alike is not compared: a choice of 16 bits may fall
    // alike twice, and a busy machine be slow to give it frames, but not every time. Only
    // namespaces that nobody has used before are believed.
    kernel = KernelMachine.runInNew(scenario);
    for (int run = 1; run < RUNS && !differences.isEmpty(); run++) {
      Outcome again = KernelMachine.runInNew(scenario);
      differences = Comparison.of(scenario, again, kernel, model);
      kernel = again;
    }
    return new Compared(kernel, differences);
  }

  /** Does a rule match at random? */
  private static boolean draws(String rules) {
    return rules.lines().anyMatch(DRAWN.asPredicate());
  }

  /**
   * The kernel draws, and so does the model. Two runs of the kernel in which the same rules counted
   * as in the model's must be equal to it, but for what the kernel chooses besides.
   */
  private static Compared amongDraws(Scenario scenario, Outcome model) throws IOException {
    Outcome kernel = null;
    for (int draw = 0; draw < DRAWS; draw++) {
      Outcome again = KernelMachine.runInTime(scenario);
      if (!again.counters().equals(model.counters())) {
        continue;
      }
      if (kernel != null) {
        return new Compared(again, Comparison.of(scenario, kernel, again, model));
      }
      kernel = again;
    }
    Outcome other = KernelMachine.runInTime(scenario);
    return new Compared(other, Comparison.of(scenario, other, other, model));
  }
}
