// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.experiment.Failure;
import io.skbwalk.experiment.Outcome;
import io.skbwalk.experiment.RuleCoverage;
import io.skbwalk.replay.WalkText;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What {@code skbwalk test} says to people: a line an experiment, and all about those that fail.
 */
final class TestText {
  private static final String INDENT = "          ";

  private final Terminal terminal;
  private final StringBuilder out = new StringBuilder();

  TestText(Terminal terminal) {
    this.terminal = terminal;
  }

  /**
   * All of it.
   *
   * @param quiet only what fails, and the last line
   * @param showCoverage also tell which rules no packet matched
   */
  String print(List<Outcome> outcomes, RuleCoverage coverage, boolean quiet, boolean showCoverage) {
    String file = null;
    for (Outcome outcome : outcomes) {
      if (quiet && outcome.holds()) {
        continue;
      }
      if (!outcome.file().equals(file)) {
        out.append(file == null ? "" : "\n");
        file = outcome.file();
        out.append(terminal.paint(Terminal.BOLD, file)).append('\n');
      }
      outcome(outcome);
    }
    out.append(out.length() == 0 ? "" : "\n");
    summary(outcomes);
    if (showCoverage) {
      coverage(coverage);
    }
    return out.toString();
  }

  private void outcome(Outcome outcome) {
    if (outcome.holds()) {
      out.append("  ").append(terminal.paint(Terminal.GREEN, "ok")).append("      ");
      out.append(outcome.name());
      if (outcome.expectations() == 0) {
        out.append(terminal.paint(Terminal.DIM, "  (expects nothing)"));
      }
      out.append('\n');
      return;
    }
    out.append("  ").append(terminal.paint(Terminal.RED + Terminal.BOLD, "FAILED")).append("  ");
    out.append(terminal.paint(Terminal.BOLD, outcome.name())).append('\n');
    outcome.failures().forEach(this::failure);
  }

  private void failure(Failure failure) {
    for (Failure.Mismatch one : failure.mismatches()) {
      out.append(INDENT).append(terminal.paint(Terminal.DIM, one.at() + ":")).append('\n');
      String got = one.got().replace("\n", "\n" + INDENT + "    ");
      out.append(INDENT).append("  ");
      out.append(failure.subject()).append(": ").append(one.key());
      out.append(": expected ").append(terminal.paint(Terminal.GREEN, one.expected()));
      out.append(", got ").append(terminal.paint(Terminal.RED, got)).append('\n');
    }
    WalkText text = new WalkText(terminal.width() - INDENT.length(), terminal.colour(), null);
    failure
        .walkText(text)
        .lines()
        .forEach(line -> out.append((INDENT + line).stripTrailing()).append('\n'));
  }

  private void summary(List<Outcome> outcomes) {
    long failed = outcomes.stream().filter(outcome -> !outcome.holds()).count();
    int packets = outcomes.stream().mapToInt(Outcome::packets).sum();
    int expectations = outcomes.stream().mapToInt(Outcome::expectations).sum();
    String counted = count(outcomes.size(), "experiment");
    out.append(counted).append(": ");
    if (failed == 0) {
      out.append(terminal.paint(Terminal.GREEN + Terminal.BOLD, "all hold"));
    } else {
      String text = failed == outcomes.size() ? "all fail" : failed + " failed";
      out.append(terminal.paint(Terminal.RED + Terminal.BOLD, text));
    }
    out.append("; ").append(count(packets, "packet"));
    out.append(", ").append(count(expectations, "expectation")).append('\n');
  }

  private void coverage(RuleCoverage coverage) {
    List<RuleCoverage.Covered> missed = coverage.missed();
    out.append(coverage.size() - missed.size())
        .append(" of ")
        .append(count(coverage.size(), "rule"))
        .append(" reached");
    if (missed.isEmpty()) {
      out.append('\n');
      return;
    }
    out.append("; no experiment reached\n");
    int place = width(missed.stream().map(rule -> rule.at().fileAndLine()).toList());
    int label = width(missed.stream().map(RuleCoverage.Covered::label).toList());
    for (RuleCoverage.Covered rule : missed) {
      String line =
          String.format(
              "  %-" + place + "s  %-" + label + "s  %s",
              rule.at().fileAndLine(),
              rule.label(),
              rule.text());
      int room = terminal.width();
      out.append(line.length() > room ? line.substring(0, room - 3) + "..." : line).append('\n');
    }
  }

  private static int width(List<String> words) {
    return Math.max(1, words.stream().collect(Collectors.summarizingInt(String::length)).getMax());
  }

  private static String count(int number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }
}
