// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lint;

import java.util.List;
import java.util.function.BiFunction;

/** Findings for people: where, what is the matter, because of what, and a packet to see it by. */
public final class LintText {
  /** Places that are listed; more are counted. */
  private static final int MOST = 6;

  private final int width;
  private final BiFunction<String, String, String> paint;
  private final String bold;
  private final String dim;

  /**
   * Text of that width.
   *
   * @param paint gives a text (second) the looks {@code bold} or {@code dim} (first)
   */
  public LintText(int width, BiFunction<String, String, String> paint, String bold, String dim) {
    this.width = width;
    this.paint = paint;
    this.bold = bold;
    this.dim = dim;
  }

  /**
   * One finding, with its last line break.
   *
   * @param rules the options that name the rules, for the command to see it by
   */
  public String tell(Finding finding, String rules) {
    StringBuilder out = new StringBuilder();
    Finding.Place about = finding.about();
    out.append(
        paint.apply(
            bold, about.at().fileAndLine() + ": " + about.label() + " " + headline(finding)));
    out.append('\n');
    if (about.number() != 0) {
      out.append(cut("    " + rule(about))).append('\n');
    }
    wrap(out, finding.sentence());
    List<Finding.Place> causes = finding.causes();
    int at = causes.stream().limit(MOST).mapToInt(one -> column(one).length()).max().orElse(0);
    for (int i = 0; i < causes.size() && i < MOST; i++) {
      Finding.Place cause = causes.get(i);
      String line = String.format("    %-" + at + "s  %s", column(cause), rule(cause));
      out.append(paint.apply(dim, cut(line.stripTrailing()))).append('\n');
    }
    if (causes.size() > MOST) {
      String more = "    and " + (causes.size() - MOST) + " more (--json lists all)";
      out.append(paint.apply(dim, more)).append('\n');
    }
    Finding.Example example = finding.example();
    if (example != null) {
      out.append("  See it (").append(example.outcome()).append("):\n");
      see(out, example, rules);
    }
    return out.toString();
  }

  private static void see(StringBuilder out, Finding.Example example, String rules) {
    out.append("    skbwalk walk ");
    out.append(example.capture() == null ? "" : example.capture() + " ");
    out.append(example.machine().isEmpty() ? "" : example.machine() + " ");
    out.append(rules);
    if (example.capture() != null) {
      out.append(" --packet ").append(example.number()).append('\n');
      return;
    }
    example.before().forEach(one -> out.append(" --send '").append(one).append('\''));
    out.append(" --send '").append(example.packet()).append("'\n");
  }

  private static String headline(Finding finding) {
    return finding.kind() == Finding.Kind.UNUSED && !finding.causes().isEmpty()
        ? "and others matched nothing in the capture"
        : finding.kind().headline;
  }

  private static String column(Finding.Place place) {
    return place.at().fileAndLine() + "  " + place.label();
  }

  private static String rule(Finding.Place place) {
    return place.number() == 0
        ? ""
        : place.rule().isEmpty() ? "(every packet, no target)" : place.rule();
  }

  private String cut(String line) {
    return line.length() <= width ? line : line.substring(0, width - 1) + "…";
  }

  private void wrap(StringBuilder out, String sentence) {
    StringBuilder line = new StringBuilder(" ");
    for (String word : sentence.split(" ")) {
      if (line.length() + 1 + word.length() > width) {
        out.append(line).append('\n');
        line.setLength(0);
        line.append(' ');
      }
      line.append(' ').append(word);
    }
    out.append(line).append('\n');
  }
}
