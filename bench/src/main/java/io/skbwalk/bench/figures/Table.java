// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a figure prints: what was measured, then the goals and whether they are reached. */
final class Table {
  private final String title;
  private final List<List<String[]>> tables = new ArrayList<>();
  private final List<String[]> goals = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();

  Table(String title) {
    this.title = title;
    goals.add(new String[] {"goal", "wanted", "measured", "reached"});
  }

  /** A table of its own, the first row its heading. */
  void table(List<String[]> rows) {
    tables.add(rows);
  }

  /** The table of a race, each beside {@code ours}. */
  void race(Race race, String ours) {
    List<String[]> rows = new ArrayList<>();
    rows.add(
        new String[] {
          "who",
          "M frames/s, wall",
          "M frames/s, processor",
          "ns a frame, processor",
          "time, skbwalk = 1"
        });
    Cost mine = race.best(ours);
    for (Map.Entry<String, Cost> one : race.best().entrySet()) {
      Cost cost = one.getValue();
      rows.add(
          new String[] {
            one.getKey(),
            number(cost.wallRate()),
            number(cost.cpuRate()),
            number(cost.nanosPerFrame()),
            number(cost.nanosPerFrame() / mine.nanosPerFrame())
          });
    }
    table(rows);
  }

  /** A goal that is reached from {@code wanted} upwards. */
  void atLeast(String what, double wanted, double measured, String unit) {
    goal(what, "at least ", wanted, measured, unit, measured >= wanted);
  }

  /** A goal that is reached up to {@code wanted}. */
  void atMost(String what, double wanted, double measured, String unit) {
    goal(what, "at most ", wanted, measured, unit, measured <= wanted);
  }

  private void goal(
      String what, String side, double wanted, double measured, String unit, boolean reached) {
    goals.add(
        new String[] {
          what,
          side + number(wanted) + " " + unit,
          number(measured) + " " + unit,
          reached ? "yes" : "no"
        });
  }

  /** What no goal is set for. */
  void seen(String what, double measured, String unit) {
    goals.add(new String[] {what, "", number(measured) + " " + unit, ""});
  }

  /** A sentence below the tables. */
  void note(String sentence) {
    notes.add(sentence);
  }

  /** A whole number with its thousands apart. */
  static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /** Have Linux and the model done the same? */
  static boolean isSameWork(Kernel kernel, Steady ours) {
    return kernel.left == ours.left && kernel.connections == ours.connections;
  }

  /** That Linux and the model have done the same, or that they have not. */
  static String sameWork(Kernel kernel, Steady ours) {
    boolean same = isSameWork(kernel, ours);
    return String.format(
        Locale.ROOT,
        same
            ? "Both forwarded %,d frames and ended with %,d connections."
            : "NOT THE SAME WORK: Linux forwarded %3$,d frames and ended with %4$,d connections,"
                + " skbwalk %1$,d and %2$,d.",
        ours.left,
        ours.connections,
        kernel.left,
        kernel.connections);
  }

  /** Three digits, as many as a noisy machine deserves. */
  static String number(double value) {
    double size = Math.abs(value);
    String format =
        size >= 99.95 ? "%,.0f" : size >= 9.995 ? "%.1f" : size >= 0.1 ? "%.2f" : "%.3f";
    return String.format(Locale.ROOT, format, value);
  }

  /** For a terminal, or for a document. */
  String print(boolean markdown) {
    StringBuilder text = new StringBuilder();
    text.append(markdown ? "### " : "== ").append(title).append("\n\n");
    for (List<String[]> table : tables) {
      rows(text, table, markdown);
    }
    if (goals.size() > 1) {
      rows(text, goals, markdown);
    }
    for (String note : notes) {
      text.append(note).append('\n');
    }
    if (!notes.isEmpty()) {
      text.append('\n');
    }
    return text.toString();
  }

  private static void rows(StringBuilder text, List<String[]> rows, boolean markdown) {
    int columns = rows.get(0).length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    for (int at = 0; at < rows.size(); at++) {
      line(text, rows.get(at), widths, markdown);
      if (at == 0 && markdown) {
        String[] rule = new String[columns];
        Arrays.setAll(rule, i -> "-".repeat(Math.max(3, widths[i]) - 1) + (i == 0 ? "-" : ":"));
        line(text, rule, widths, true);
      }
    }
    text.append('\n');
  }

  private static void line(StringBuilder text, String[] row, int[] widths, boolean markdown) {
    StringBuilder line = new StringBuilder(markdown ? "| " : "");
    for (int i = 0; i < row.length; i++) {
      String padding = " ".repeat(Math.max(0, widths[i] - row[i].length()));
      line.append(i == 0 ? row[i] + padding : padding + row[i]);
      line.append(markdown ? " | " : "  ");
    }
    text.append(line.toString().stripTrailing()).append('\n');
  }
}
