// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Outcome.Sent;
import io.skbwalk.conformance.Outcome.StepOutcome;
import io.skbwalk.replay.WalkText;
import io.skbwalk.skb.PacketSummary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A difference explained: the model's walk of the frame in question beside all that the kernel
 * shows of its own. The kernel keeps no walk, but running the scenario up to the frame before and
 * up to the frame itself tells which rules counted it, what happened to the connection table, what
 * was dropped where and what left.
 */
final class Explanation {
  private static final int COLUMN = 100;

  private Explanation() {}

  /** Both sides' view of frame {@code index} (from 0), side by side. */
  static String of(Scenario scenario, int index) throws IOException {
    List<String> model =
        new WalkText(COLUMN, false, null)
            .steps(ModelMachine.walk(scenario, index))
            .lines()
            .toList();
    List<String> kernel = kernel(scenario, index);
    StringBuilder text = new StringBuilder();
    text.append(String.format("%-" + COLUMN + "s | %s%n", "model", "kernel"));
    for (int i = 0; i < Math.max(model.size(), kernel.size()); i++) {
      String left = i < model.size() ? model.get(i) : "";
      String right = i < kernel.size() ? kernel.get(i) : "";
      text.append(String.format("%-" + COLUMN + "s | %s", left, right).stripTrailing())
          .append('\n');
    }
    return text.toString();
  }

  private static List<String> kernel(Scenario scenario, int index) throws IOException {
    Outcome before = KernelMachine.run(first(scenario, index));
    Outcome after = KernelMachine.run(first(scenario, index + 1));
    StepOutcome step = after.steps().get(index);
    List<String> lines = new ArrayList<>();
    news(lines, "counted", before.counters(), after.counters());
    news(lines, "connection", before.conntrack(), after.conntrack());
    news(lines, "event", before.events(), after.events());
    news(lines, "expectation", before.expectations(), after.expectations());
    news(lines, "accounting", before.accounting(), after.accounting());
    news(lines, "socket", before.sockets(), after.sockets());
    for (Sent sent : step.sent()) {
      lines.add(
          "sent on "
              + sent.device()
              + ": "
              + PacketSummary.ofFrame(sent.frame(), 0, sent.frame().length));
    }
    step.logs().forEach(line -> lines.add("log: " + line));
    for (String drop : step.drops()) {
      lines.add("dropped: " + drop);
    }
    return lines;
  }

  private static Scenario first(Scenario scenario, int steps) {
    return new Scenario(
        scenario.name(),
        scenario.host(),
        scenario.named(),
        scenario.rules(),
        scenario.steps().subList(0, steps));
  }

  private static void news(
      List<String> lines, String what, List<String> before, List<String> after) {
    List<String> old = new ArrayList<>(before);
    for (String line : after) {
      if (!old.remove(line)) {
        lines.add(what + ": " + line);
      }
    }
  }
}
