// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.replay.WalkText;
import java.util.List;

/** The outcomes as Test Anything Protocol 14: a test point an experiment. */
public final class TapLines {
  private static final int WIDTH = 100;

  private TapLines() {}

  /** The whole stream. */
  public static String of(List<Outcome> outcomes) {
    StringBuilder out = new StringBuilder("TAP version 14\n");
    out.append("1..").append(outcomes.size()).append('\n');
    int number = 0;
    for (Outcome outcome : outcomes) {
      out.append(outcome.holds() ? "ok " : "not ok ").append(++number).append(" - ");
      // A number sign would begin a directive.
      out.append((outcome.file() + ": " + outcome.name()).replace("#", "\\#")).append('\n');
      if (!outcome.holds()) {
        diagnosis(out, outcome);
      }
    }
    return out.toString();
  }

  private static void diagnosis(StringBuilder out, Outcome outcome) {
    out.append("  ---\n  failures:\n");
    for (Failure failure : outcome.failures()) {
      for (Failure.Mismatch one : failure.mismatches()) {
        out.append("    - at: ").append(quoted(one.at().toString()));
        out.append("\n      of: ").append(quoted(failure.subject()));
        out.append("\n      key: ").append(quoted(one.key()));
        out.append("\n      expected: ").append(quoted(one.expected()));
        out.append("\n      got: ").append(quoted(one.got())).append('\n');
      }
    }
    for (Failure failure : outcome.failures()) {
      String walk = failure.walkText(new WalkText(WIDTH, false, null));
      if (!walk.isEmpty()) {
        out.append("  walk: |2\n");
        walk.lines().forEach(line -> out.append(("    " + line).stripTrailing()).append('\n'));
        break;
      }
    }
    out.append("  ...\n");
  }

  private static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
  }
}
