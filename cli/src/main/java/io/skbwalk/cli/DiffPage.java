// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.diff.ChangedGroup;
import io.skbwalk.diff.Comparison;
import io.skbwalk.diff.Outcome;
import io.skbwalk.diff.Responsible;
import io.skbwalk.replay.Fate;
import io.skbwalk.replay.PacketEnd;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The page that a comparison prints. */
final class DiffPage {
  private static final int TOP = 24;

  /** Where the old and the new rule of a group begin. */
  private static final int INDENT = 12;

  private final Terminal terminal;
  private final Comparison comparison;
  private final StringBuilder out = new StringBuilder();
  private boolean otherHost;

  DiffPage(Terminal terminal, Comparison comparison) {
    this.terminal = terminal;
    this.comparison = comparison;
  }

  /**
   * The page.
   *
   * @param newSide the options that make the new machine
   */
  String print(Session session, MachineOptions machine, List<String> newSide) {
    List<String> oldSide = oldSide(machine);
    out.append(terminal.paint(Terminal.BOLD, session.inputInWords()));
    out.append(" through ").append(session.machineInWords()).append('\n');
    otherHost = !options(oldSide, "--host").equals(options(newSide, "--host"));
    side("old", oldSide, session.scenario() != null ? "the scenario's rules" : "no rules");
    side("new", newSide, "no rules");
    out.append(count(comparison.frames(), "packet")).append(", ");
    out.append(Summary.bytes(comparison.bytes())).append(": ");
    if (comparison.changedPackets() == 0) {
      out.append(terminal.paint(Terminal.GREEN, "nothing changes")).append('\n');
      return out.toString();
    }
    String changed =
        Summary.number(comparison.changedPackets())
            + (comparison.changedPackets() == 1 ? " changes" : " change");
    out.append(terminal.paint(Terminal.YELLOW, changed)).append(" (");
    out.append(count(comparison.changedFlows(), "flow")).append(", ");
    out.append(Summary.bytes(comparison.changedBytes())).append(")\n");
    List<ChangedGroup> groups = comparison.groups();
    List<ChangedGroup> top = groups.subList(0, Math.min(TOP, groups.size()));
    out.append('\n').append(terminal.paint(Terminal.DIM, "     packets   flows     bytes"));
    out.append('\n');
    for (ChangedGroup group : top) {
      out.append(group == top.get(0) ? "" : "\n");
      group(group);
    }
    if (groups.size() > TOP) {
      out.append('\n').append(" ".repeat(INDENT)).append("and ");
      out.append(count(groups.size() - TOP, "smaller group")).append("; --json has all\n");
    }
    hint(session, machine, top.get(0).example, oldSide, newSide);
    return out.toString();
  }

  private static List<String> options(List<String> words, String name) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < words.size(); i += 2) {
      if (words.get(i).equals(name)) {
        values.add(words.get(i + 1));
      }
    }
    return values;
  }

  private void side(String name, List<String> options, String otherwise) {
    List<String> files = new ArrayList<>();
    for (int i = 0; i < options.size(); i += 2) {
      boolean told = options.get(i).equals("--host") ? otherHost : !options.get(i).equals("--as");
      if (told) {
        files.add(options.get(i + 1));
      }
    }
    out.append("  ").append(terminal.paint(Terminal.CYAN, name)).append("  ");
    out.append(files.isEmpty() ? otherwise : String.join(", ", files)).append('\n');
  }

  private static String count(long number, String what) {
    return Summary.number(number) + " " + what + (number == 1 ? "" : "s");
  }

  private static String place(Responsible rule) {
    return rule == null ? "no rule" : rule.place();
  }

  private void group(ChangedGroup group) {
    int places = Math.max(place(group.oldRule).length(), place(group.newRule).length());
    out.append(
        String.format(
            Locale.ROOT,
            "%12s %7s %9s   %s%n",
            Summary.number(group.packets()),
            Summary.number(group.flows()),
            Summary.bytes(group.bytes()),
            terminal.paint(colour(group), what(group))));
    rule("old", group.oldRule, places);
    rule("new", group.newRule, places);
    String example = "#" + group.example + "  " + group.packet + difference(group);
    out.append(" ".repeat(INDENT - 5)).append("such as  ");
    out.append(terminal.wrap(example, INDENT + 4, INDENT + 4)).append('\n');
  }

  private static String what(ChangedGroup group) {
    return group.oldOutcome.equals(group.newOutcome)
        ? group.oldOutcome.label() + ", " + group.text
        : group.text;
  }

  /** Red for what is lost, green for what is let in. */
  private static String colour(ChangedGroup group) {
    boolean wasLost = isLost(group.oldOutcome);
    boolean isLost = isLost(group.newOutcome);
    return wasLost == isLost ? Terminal.YELLOW : isLost ? Terminal.RED : Terminal.GREEN;
  }

  private static boolean isLost(Outcome outcome) {
    return outcome.fate() == Fate.DROPPED || outcome.fate() == null;
  }

  private void rule(String name, Responsible rule, int places) {
    out.append(" ".repeat(INDENT)).append(terminal.paint(Terminal.CYAN, name)).append("  ");
    if (rule == null) {
      out.append("no rule\n");
      return;
    }
    int indent = INDENT + 5 + places + 2;
    int room =
        terminal.width() - indent - (rule.source().isEmpty() ? 0 : rule.source().length() + 2);
    boolean beside = room >= 24;
    String text = Summary.cut(rule.text(), beside ? room : terminal.width() - indent);
    out.append(String.format("%-" + places + "s  %s", rule.place(), text));
    if (!rule.source().isEmpty()) {
      out.append(beside ? " ".repeat(room + 2 - text.length()) : "\n" + " ".repeat(indent));
      out.append(terminal.paint(Terminal.DIM, rule.source()));
    }
    out.append('\n');
  }

  /** What is not the same about the example, where the group's line does not say it. */
  private static String difference(ChangedGroup group) {
    PacketEnd a = group.oldExample.end();
    PacketEnd b = group.newExample.end();
    if (a == null || b == null) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    switch (group.change) {
      case NAT -> {
        part(text, "from", a.from(), b.from());
        part(text, "to", a.to(), b.to());
      }
      case MARK -> {
        part(text, "mark", hex(group.oldExample.mark()), hex(group.newExample.mark()));
        part(
            text,
            "connection mark",
            hex(group.oldExample.connectionMark()),
            hex(group.newExample.connectionMark()));
      }
      case HEADER -> {
        part(text, "tos", hex(a.tos()), hex(b.tos()));
        part(text, "ttl", Integer.toString(a.ttl()), Integer.toString(b.ttl()));
      }
      default -> {
        // The group's line says all.
      }
    }
    return text.toString();
  }

  private static void part(StringBuilder text, String name, String before, String after) {
    if (!before.equals(after)) {
      text.append(text.length() == 0 ? ": " : ", ").append(name).append(' ').append(before);
      text.append(" -> ").append(after);
    }
  }

  private static String hex(int value) {
    return "0x" + Integer.toHexString(value);
  }

  // ---- how to see more --------------------------------------------------------------------------

  private void hint(
      Session session,
      MachineOptions machine,
      long example,
      List<String> oldSide,
      List<String> newSide) {
    List<String> input = new ArrayList<>();
    if (machine.capture != null) {
      input.add(machine.capture);
    }
    machine.inputs.forEach(one -> option(input, "--in", one));
    if (input.stream().anyMatch(word -> word.equals("-") || word.endsWith("=-"))) {
      return;
    }
    List<String> more = new ArrayList<>();
    option(
        more,
        "--answers",
        machine.answers == null ? null : machine.answers.name().toLowerCase(Locale.ROOT));
    option(more, "--seed", machine.seed == 1 ? null : Long.toString(machine.seed));
    option(more, "--packet", Long.toString(example));
    out.append('\n').append("To see why, step by step:\n");
    walk(input, oldSide, more);
    if (session.scenario() == null) {
      walk(input, newSide, more);
    }
  }

  private void walk(List<String> input, List<String> side, List<String> more) {
    out.append("  ").append(Examples.called()).append(" walk");
    for (List<String> words : List.of(input, side, more)) {
      words.forEach(word -> out.append(' ').append(quoted(word)));
    }
    out.append('\n');
  }

  private static String quoted(String word) {
    return word.matches("[A-Za-z0-9_./:=,@%+-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }

  private static List<String> oldSide(MachineOptions machine) {
    List<String> words = new ArrayList<>();
    option(words, "--host", machine.host);
    machine.as.forEach(one -> option(words, "--as", one));
    machine.rules.forEach(file -> option(words, "--rules", file));
    machine.ipsets.forEach(file -> option(words, "--ipset", file));
    return words;
  }

  /** Appends an option that has a value. */
  static void option(List<String> words, String name, String value) {
    if (value != null) {
      words.add(name);
      words.add(value);
    }
  }
}
