// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.device.NetDevice;
import io.skbwalk.replay.DropCounts;
import io.skbwalk.replay.Fate;
import io.skbwalk.replay.ReplayReport;
import io.skbwalk.replay.ReplayTotals;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The page that a replay ends with on a terminal. */
final class Summary {
  private static final int TOP = 8;
  private static final int BAR = 24;
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneOffset.UTC);

  private final Terminal terminal;
  private final ReplayReport report;
  private final ReplayTotals totals;
  private final StringBuilder out = new StringBuilder();

  Summary(Terminal terminal, ReplayReport report) {
    this.terminal = terminal;
    this.report = report;
    this.totals = report.totals();
  }

  /** The page: {@code input} through {@code machine}. */
  String print(String input, String machine) {
    out.append(terminal.paint(Terminal.BOLD, input)).append(" through ").append(machine);
    out.append('\n');
    if (totals.frames == 0) {
      out.append("no frames");
      out.append(totals.filtered > 0 ? ": the filter leaves out all of them\n" : "\n");
      return out.toString();
    }
    span();
    fates();
    drops();
    rules();
    connections();
    interfaces();
    return out.toString();
  }

  private void span() {
    out.append(number(totals.frames)).append(totals.frames == 1 ? " frame, " : " frames, ");
    out.append(bytes(totals.bytes)).append(", ").append(duration(totals.last - totals.first));
    out.append(" from ").append(time(totals.first));
    if (totals.filtered > 0) {
      out.append("; the filter left out ").append(number(totals.filtered));
    }
    out.append('\n');
    if (totals.seenAgain > 0) {
      out.append(number(totals.seenAgain));
      out.append(" more are what the machine had just forwarded or answered itself\n");
    }
  }

  private void heading(String text) {
    out.append('\n').append(terminal.paint(Terminal.BOLD, text)).append('\n');
  }

  private void fates() {
    out.append('\n');
    for (Fate fate : Fate.values()) {
      long count = totals.of(fate);
      if (count == 0) {
        continue;
      }
      double share = (double) count / totals.frames;
      int full = (int) Math.max(1, Math.round(share * BAR));
      String colour =
          switch (fate) {
            case DROPPED -> Terminal.RED;
            case DELIVERED, FORWARDED -> Terminal.GREEN;
            case ANSWERED -> Terminal.YELLOW;
            default -> Terminal.CYAN;
          };
      out.append(
          String.format(
              Locale.ROOT,
              "  %-10s %12s  %5.1f %%  %s%n",
              fate.label,
              number(count),
              100 * share,
              terminal.paint(colour, "#".repeat(full))));
    }
    long withheld = report.withheld();
    if (withheld > 0) {
      String text =
          number(withheld)
              + (withheld == 1 ? " answer" : " answers")
              + " of the stack held back, since the capture has the machine's own (--answers stack"
              + " sends them)";
      out.append("  ").append(terminal.wrap(text, 2, 2)).append('\n');
    }
  }

  private void drops() {
    List<DropCounts.Line> lines = totals.drops.lines();
    if (lines.isEmpty()) {
      return;
    }
    heading("Dropped");
    for (DropCounts.Line line : lines.subList(0, Math.min(TOP, lines.size()))) {
      out.append(
          String.format(
              "  %12s  %-20s %s%n",
              number(line.frames()), line.reason(), terminal.paint(Terminal.DIM, line.function())));
    }
    more(lines.size());
  }

  private void more(int size) {
    if (size > TOP) {
      out.append("  ").append(" ".repeat(12)).append("  and ").append(size - TOP).append(" more\n");
    }
  }

  private void rules() {
    List<ReplayReport.RuleCount> rules = worthTelling(report.rules());
    if (rules.isEmpty()) {
      return;
    }
    heading("Rules that decided or counted");
    List<ReplayReport.RuleCount> top = rules.subList(0, Math.min(TOP, rules.size()));
    int places = top.stream().mapToInt(rule -> place(rule).length()).max().orElse(0);
    int sources = top.stream().mapToInt(rule -> rule.source().length()).max().orElse(0);
    int indent = 2 + 12 + 2 + places + 2;
    int room = terminal.width() - indent - (sources == 0 ? 0 : sources + 2);
    boolean beside = room >= 30;
    for (ReplayReport.RuleCount rule : top) {
      String text = cut(rule.text(), beside ? room : terminal.width() - indent);
      out.append(
          String.format(
              "  %12s  %-" + places + "s  %s", number(rule.packets()), place(rule), text));
      if (!rule.source().isEmpty()) {
        out.append(beside ? " ".repeat(room + 2 - text.length()) : "\n" + " ".repeat(indent));
        out.append(terminal.paint(Terminal.DIM, rule.source()));
      }
      out.append('\n');
    }
    more(rules.size());
  }

  /** Rules before policies; a policy tells something in filter, or where a rule counted. */
  private static List<ReplayReport.RuleCount> worthTelling(List<ReplayReport.RuleCount> all) {
    Set<String> ruled =
        all.stream()
            .filter(rule -> rule.number() != 0)
            .map(ReplayReport.RuleCount::table)
            .collect(Collectors.toSet());
    return all.stream()
        .filter(
            rule ->
                rule.number() != 0
                    || rule.table().equals("filter")
                    || rule.text().equals("policy DROP")
                    || ruled.contains(rule.table()))
        .sorted(Comparator.comparing(rule -> rule.number() == 0))
        .toList();
  }

  private static String place(ReplayReport.RuleCount rule) {
    return rule.table() + "/" + rule.chain() + (rule.number() == 0 ? "" : "#" + rule.number());
  }

  /** {@code text} in {@code room} columns, cut between words. */
  static String cut(String text, int room) {
    if (text.length() <= room) {
      return text;
    }
    int space = text.lastIndexOf(' ', Math.max(0, room - 4));
    return (space > 0 ? text.substring(0, space) : text.substring(0, Math.max(0, room - 4)))
        + " ...";
  }

  private void connections() {
    Map<String, Long> states = report.connections();
    if (states.isEmpty()) {
      return;
    }
    heading("Connections at the end");
    for (Map.Entry<String, Long> state : states.entrySet()) {
      out.append(String.format("  %12s  %s%n", number(state.getValue()), state.getKey()));
    }
  }

  private void interfaces() {
    heading("Interfaces");
    for (NetDevice dev : report.devices()) {
      if (dev.isLoopback() && dev.rxPackets == 0) {
        continue;
      }
      StringBuilder line = new StringBuilder();
      line.append(
          String.format(
              "  %-12s received %s (%s), sent %s (%s)",
              dev.name,
              number(dev.rxPackets),
              bytes(dev.rxBytes),
              number(dev.txPackets),
              bytes(dev.txBytes)));
      problem(line, dev.rxErrors, "errors");
      problem(line, dev.rxMissed, "missed");
      problem(line, dev.rxDropped, "for nobody");
      out.append(line).append('\n');
    }
  }

  private static void problem(StringBuilder line, long count, String what) {
    if (count > 0) {
      line.append(", ").append(number(count)).append(' ').append(what);
    }
  }

  static String number(long value) {
    return String.format(Locale.ROOT, "%,d", value);
  }

  static String bytes(long value) {
    String[] units = {"bytes", "kB", "MB", "GB", "TB"};
    double amount = value;
    int unit = 0;
    while (amount >= 1000 && unit < units.length - 1) {
      amount /= 1000;
      unit++;
    }
    return unit == 0
        ? number(value) + " bytes"
        : String.format(Locale.ROOT, amount < 10 ? "%.1f %s" : "%.0f %s", amount, units[unit]);
  }

  static String duration(long nanos) {
    double seconds = nanos / 1e9;
    if (seconds < 60) {
      return String.format(Locale.ROOT, "%.3f s", seconds);
    }
    long whole = nanos / 1_000_000_000L;
    long days = whole / 86400;
    String clock =
        String.format("%d:%02d:%02d h", whole % 86400 / 3600, whole % 3600 / 60, whole % 60);
    return days == 0 ? clock : days + " d " + clock;
  }

  private static String time(long nanos) {
    return TIME.format(Instant.ofEpochSecond(Math.floorDiv(nanos, 1_000_000_000L))) + " UTC";
  }
}
