// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Runs random scenarios through both sides and tells what differs: {@code Explore FIRST COUNT
 * [all]}. A seed that differs is a test that can be run again; bin/explore calls this.
 */
public final class Explore {
  private Explore() {}

  /** Runs; exit status 1 when something differs. */
  public static void main(String[] arguments) throws IOException {
    String unavailable = KernelMachine.unavailable();
    if (unavailable != null) {
      System.err.println("skbwalk: the kernel cannot be asked: " + unavailable);
      System.exit(2);
    }
    long first = Long.parseLong(arguments[0]);
    long count = Long.parseLong(arguments[1]);
    boolean all = arguments.length > 2;
    Map<String, List<Long>> kinds = new HashMap<>();
    long frames = 0;
    int failed = 0;
    for (long seed = first; seed < first + count; seed++) {
      Scenario scenario = RandomScenario.of(seed);
      frames += scenario.steps().size();
      List<String> differences = differences(scenario);
      if (!differences.isEmpty()) {
        failed++;
        String difference = differences.get(0);
        kinds.computeIfAbsent(kind(difference), key -> new ArrayList<>()).add(seed);
        if (all) {
          System.out.println("seed " + seed + ": " + difference);
        }
      }
    }
    kinds.entrySet().stream()
        .sorted((a, b) -> b.getValue().size() - a.getValue().size())
        .forEach(
            kind ->
                System.out.println(
                    kind.getValue().size()
                        + " x "
                        + kind.getKey()
                        + "\n    seeds "
                        + kind.getValue()));
    System.out.printf(Locale.ROOT, "%d scenarios, %d frames: %d differ%n", count, frames, failed);
    System.exit(failed == 0 ? 0 : 1);
  }

  /** What differs between the kernel and the model, the first first. */
  static List<String> differences(Scenario scenario) throws IOException {
    Outcome model;
    try {
      model = ModelMachine.run(scenario);
    } catch (RuntimeException e) {
      StackTraceElement[] stack = e.getStackTrace();
      return List.of("the model throws " + e + (stack.length > 0 ? " at " + stack[0] : ""));
    }
    Outcome kernel = KernelMachine.run(scenario);
    List<String> differences = Comparison.of(scenario, kernel, kernel, model);
    if (differences.isEmpty()) {
      return differences;
    }
    return Comparison.of(scenario, kernel, KernelMachine.run(scenario), model);
  }

  /** A difference without its numbers, to count those of one kind together. */
  private static String kind(String difference) {
    return difference
        .replaceFirst("frame \\d+ ", "")
        .replaceAll("0x[0-9a-f]+", "N")
        .replaceAll("[0-9a-f]{20,}", "FRAME")
        .replaceAll("\\d+", "N")
        .replaceAll("\\n *", " | ");
  }
}
