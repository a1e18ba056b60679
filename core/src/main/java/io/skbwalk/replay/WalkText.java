// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.trace.TraceEvent;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * A packet's walk as text: a line a step, hooks indented with their tables, the rule that matched
 * with its source at the right, and at the end what became of the packet and what was changed about
 * it.
 */
public final class WalkText {
  /** Column at which a step's text begins. */
  private static final int TEXT = 16;

  /** Column at which a rule's own text, and what it changed, begins. */
  private static final int RULE = 24;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS").withZone(ZoneOffset.UTC);

  private static final String BOLD = "\u001b[1m";
  private static final String DIM = "\u001b[2m";
  private static final String RED = "\u001b[31m";
  private static final String GREEN = "\u001b[32m";
  private static final String YELLOW = "\u001b[33m";
  private static final String CYAN = "\u001b[36m";
  private static final String PLAIN = "\u001b[0m";

  private final int width;
  private final boolean colour;
  private final String only;

  private final StringBuilder out = new StringBuilder();

  /**
   * Packets that are being told, the outermost last: a made packet's steps stand inside its
   * cause's.
   */
  private final Deque<Level> levels = new ArrayDeque<>();

  private static final class Level {
    /** The hook that is being told, or null. */
    String hook;

    /** Whether the hook's own line is written. */
    boolean hookWritten;

    /** The table that is being told, or null. */
    String table;

    /** Whether the table's first line is written. */
    boolean tableWritten;

    int rules;

    /** What the line before says of the packet, such as DROP; null for nothing. */
    String verdict;
  }

  /**
   * A writer of walks.
   *
   * @param width columns of the terminal, at least 60
   * @param colour use colour
   * @param only a hook, a table or a stage (function) to restrict the walk to, or null for all
   */
  public WalkText(int width, boolean colour, String only) {
    this.width = Math.max(60, width);
    this.colour = colour;
    this.only = only;
  }

  /** The walk of one packet, with what became of it at the end. */
  public String tell(FrameRecord record) {
    tellSteps(record.events);
    String colours =
        switch (record.fate) {
          case DROPPED -> RED + BOLD;
          case CONSUMED -> BOLD;
          default -> GREEN + BOLD;
        };
    wrapped(5, paint(colours, "  =>"), WalkResult.text(record), null);
    List<WalkResult.Change> changes = WalkResult.changes(record);
    if (!changes.isEmpty()) {
      wrapped(5, "", "changed: " + WalkResult.inWords(changes), null);
    }
    return out.toString();
  }

  /** The steps of a walk alone, without what became of the packet. */
  public String steps(List<TraceEvent> events) {
    tellSteps(events);
    return out.toString();
  }

  private void tellSteps(List<TraceEvent> events) {
    out.setLength(0);
    levels.clear();
    levels.push(new Level());
    for (TraceEvent event : events) {
      tell(event);
    }
    while (levels.size() > 1) {
      levels.pop();
    }
  }

  private String paint(String colours, String text) {
    return colour ? colours + text + PLAIN : text;
  }

  private int indent() {
    return 2 * (levels.size() - 1);
  }

  private boolean wanted(String... names) {
    if (only == null) {
      return true;
    }
    Level level = levels.peek();
    for (String name : names) {
      if (only.equalsIgnoreCase(name)) {
        return true;
      }
    }
    return only.equalsIgnoreCase(String.valueOf(level.hook))
        || only.equalsIgnoreCase(String.valueOf(level.table));
  }

  private void tell(TraceEvent event) {
    Level level = levels.peek();
    if (event instanceof TraceEvent.Frame frame) {
      out.append(paint(BOLD, "#" + frame.frame()))
          .append("  ")
          .append(TIME.format(instant(frame.time())))
          .append("  ")
          .append(frame.outgoing() ? "sent by the host" : frame.device())
          .append("  ")
          .append(paint(BOLD, frame.summary()))
          .append('\n');
    } else if (event instanceof TraceEvent.Nic nic) {
      step("nic", nic.text());
    } else if (event instanceof TraceEvent.HardIrq irq) {
      step("hard irq", irq.text());
    } else if (event instanceof TraceEvent.SoftIrq softIrq) {
      step("softirq", softIrq.text());
    } else if (event instanceof TraceEvent.InitCall init) {
      step("initcall " + init.level(), init.function() + ": " + init.text());
    } else if (event instanceof TraceEvent.Step step) {
      step(step.function(), step.text());
    } else if (event instanceof TraceEvent.Socket socket) {
      step(socket.function(), socket.socket() + ": " + socket.text());
    } else if (event instanceof TraceEvent.Route route) {
      step(route.function(), route.result() + ": " + route.text());
    } else if (event instanceof TraceEvent.Queued queued) {
      step(queued.function(), queued.text());
    } else if (event instanceof TraceEvent.HookEnter enter) {
      level.hook = enter.hook();
      level.hookWritten = false;
    } else if (event instanceof TraceEvent.HookLeave leave) {
      boolean said = leave.verdict().equals(level.verdict);
      if (level.hookWritten && !leave.verdict().equals("ACCEPT") && !said && wanted()) {
        inHook("", paint(RED, leave.verdict()));
      }
      level.hook = null;
    } else if (event instanceof TraceEvent.HookStep step) {
      inHook(step.name(), step.text());
    } else if (event instanceof TraceEvent.TableEnter table) {
      level.table = table.table();
      level.tableWritten = false;
      level.rules = table.rules();
    } else if (event instanceof TraceEvent.RuleMatched rule) {
      rule(rule.chain(), rule.number(), inColour(rule), rule.source(), null);
      level.verdict = rule.target();
    } else if (event instanceof TraceEvent.RuleMissed rule) {
      rule(rule.chain(), rule.number(), rule.rule(), rule.source(), rule.reason());
    } else if (event instanceof TraceEvent.Detail detail) {
      if (level.hook != null && wanted()) {
        wrapped(RULE, "", detail.text(), null);
      }
    } else if (event instanceof TraceEvent.ChainEnter || event instanceof TraceEvent.ChainReturn) {
      // Seen from the rules' own labels.
    } else if (event instanceof TraceEvent.Policy policy) {
      inHook(
          tableLabel(),
          "policy " + verdict(policy.policy()),
          level.rules == 0 ? "[no rules]" : null);
      level.verdict = policy.policy();
    } else if (event instanceof TraceEvent.TableLeave) {
      level.table = null;
    } else if (event instanceof TraceEvent.Changed changed) {
      changed(level, changed);
    } else if (event instanceof TraceEvent.Log log) {
      if (level.hook != null) {
        inHook(tableLabel(), paint(CYAN, "log: ") + log.line());
      } else {
        step("log", paint(CYAN, log.line()));
      }
    } else if (event instanceof TraceEvent.Made made) {
      if (only == null) {
        step(made.function(), "makes " + made.summary());
      }
      levels.push(new Level());
    } else if (event instanceof TraceEvent.Sent sent) {
      if (levels.size() > 1 || only == null) {
        step("transmit", paint(GREEN, sent.device()) + " #" + sent.index() + ": " + sent.summary());
      }
      leaveMade();
    } else if (event instanceof TraceEvent.Withheld withheld) {
      step(withheld.function(), "held back: the machine's own answers are in the capture");
      leaveMade();
    } else if (event instanceof TraceEvent.Dropped dropped) {
      step(dropped.function(), paint(RED, "dropped, " + dropped.reason()));
      leaveMade();
    }
  }

  private void leaveMade() {
    if (levels.size() > 1) {
      levels.pop();
    }
  }

  private static Instant instant(long nanos) {
    return Instant.ofEpochSecond(
        Math.floorDiv(nanos, 1_000_000_000L), Math.floorMod(nanos, 1_000_000_000L));
  }

  private String verdict(String name) {
    return name.equals("ACCEPT") ? name : paint(RED, name);
  }

  private String inColour(TraceEvent.RuleMatched rule) {
    String drop = "-j DROP";
    return rule.rule().endsWith(drop)
        ? rule.rule().substring(0, rule.rule().length() - 4) + verdict("DROP")
        : rule.rule();
  }

  private void step(String label, String text) {
    if (wanted(label)) {
      wrapped(TEXT, "  " + label, text, null);
    }
  }

  private String tableLabel() {
    Level level = levels.peek();
    if (level.tableWritten || level.table == null) {
      return "";
    }
    level.tableWritten = true;
    return level.table;
  }

  private void inHook(String label, String text) {
    inHook(label, text, null);
  }

  private void inHook(String label, String text, String right) {
    Level level = levels.peek();
    level.verdict = null;
    if (!wanted(label)) {
      return;
    }
    if (!level.hookWritten && level.hook != null) {
      level.hookWritten = true;
      out.append(" ".repeat(indent() + 2)).append(paint(BOLD, level.hook)).append('\n');
    }
    wrapped(TEXT, "    " + label, text, right);
  }

  private void rule(String chain, int number, String rule, String source, String missed) {
    Level level = levels.peek();
    String name = isBuiltIn(chain) ? "rule " + number : chain + " " + number;
    String text = String.format("%-6s  %s", name, rule.isEmpty() ? "(matches everything)" : rule);
    if (missed != null) {
      inHook(tableLabel(), paint(DIM, text), source);
      if (wanted()) {
        wrapped(RULE, "", paint(DIM, "no: " + missed), null);
      }
    } else {
      inHook(tableLabel(), text, source);
    }
    level.tableWritten = true;
  }

  /** Is that chain a hook's own, whose name is seen from where it stands? */
  static boolean isBuiltIn(String chain) {
    return BUILT_IN.contains(chain);
  }

  private static final java.util.Set<String> BUILT_IN =
      java.util.Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

  private void changed(Level level, TraceEvent.Changed changed) {
    if (level.hook == null || !wanted()) {
      return;
    }
    String text =
        paint(YELLOW, changed.field() + " " + changed.before() + " -> " + changed.after());
    if (level.table != null && !level.tableWritten) {
      // By a match, of which nobody knows yet whether its rule matches.
      inHook(tableLabel(), text);
    } else {
      wrapped(RULE, "", text, null);
    }
  }

  /**
   * One line, or several when it does not fit: {@code label}, then {@code text} from {@code column}
   * on, and {@code right} at the right edge.
   */
  private void wrapped(int column, String label, String text, String right) {
    String margin = " ".repeat(indent());
    StringBuilder line = new StringBuilder(margin).append(label);
    int start = column + indent();
    int used = visible(line.toString());
    if (used >= start) {
      line.append(' ');
      used++;
    }
    line.append(" ".repeat(Math.max(0, start - used)));
    int room = width;
    // A rule's further lines stand under its text, not under its number.
    int hang = isRule(text) ? Math.min(RULE + indent(), room / 2) : start;
    String[] words = text.split(" ");
    int printed = visible(line.toString());
    boolean first = true;
    for (String word : words) {
      int length = visible(word);
      if (!first && printed + 1 + length > room) {
        out.append(line.toString().stripTrailing()).append('\n');
        line.setLength(0);
        line.append(" ".repeat(hang));
        printed = line.length();
        first = true;
      }
      if (!first) {
        line.append(' ');
        printed++;
      }
      line.append(word);
      printed += length;
      first = false;
    }
    if (right != null && !right.isEmpty()) {
      int gap = width - printed - right.length();
      if (gap < 2 && printed > start + 20) {
        // It would not fit: the next line has it, at the right edge.
        out.append(line.toString().stripTrailing()).append('\n');
        line.setLength(0);
        printed = 0;
        gap = width - right.length();
      }
      line.append(" ".repeat(Math.max(2, Math.min(gap, Math.max(2, 70 + indent() - printed)))));
      line.append(paint(DIM, right));
    }
    out.append(line.toString().stripTrailing()).append('\n');
  }

  private static boolean isRule(String text) {
    String plain = text.startsWith(DIM) ? text.substring(DIM.length()) : text;
    return plain.startsWith("rule ") || plain.contains("  -") && !plain.startsWith("log: ");
  }

  /** Columns that a word takes: escape sequences take none. */
  private static int visible(String word) {
    int count = 0;
    boolean escape = false;
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (c == '\u001b') {
        escape = true;
      } else if (escape) {
        escape = c != 'm';
      } else {
        count++;
      }
    }
    return count;
  }
}
