// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.trace.TraceEvent;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Walks as a graph in the language of Graphviz: for each packet the familiar picture of Netfilter
 * on a light card of its own, with the packet's way drawn boldly and every step in its place, what
 * it did not touch in grey, and packets that it caused with dashes.
 */
public final class WalkDot {
  /** Characters of a line in a box. */
  private static final int WIDTH = 62;

  private static final String TEXT = "#1f2933";
  private static final String QUIET = "#667085";
  private static final String LINE = "#c4cad3";
  private static final String CARD = "#fbfcfd";
  private static final String TAKEN = "#1d6fd1";
  private static final String CAUSED = "#8a4fbf";
  private static final String LOST = "#c62828";
  private static final String CHANGED = "#8a5300";
  private static final String HOOK = "#e3eefb";
  private static final String OTHER = "#e9edf1";

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("HH:mm:ss.SSSSSS").withZone(ZoneOffset.UTC);

  /** A line in a part of a place: words, the rule's place at its end, the colour. */
  private record Line(String text, String source, String colour) {}

  /** An end that is no place: dropped, held back. */
  private record End(Place from, String text, boolean lost, boolean caused) {}

  /** One packet of the walk: the frame's own, or one that it caused. */
  private static final class Level {
    String hook;
    String table;
    int rules;
    Place place;
    String row;
  }

  private final StringBuilder out = new StringBuilder();
  private int packets;

  // ---- of the packet at hand --------------------------------------------------------------------

  private final Map<Place, Map<String, List<Line>>> lines = new EnumMap<>(Place.class);
  private final Set<Place.Way> taken = new LinkedHashSet<>();
  private final Set<Place.Way> caused = new LinkedHashSet<>();
  private final List<End> ends = new ArrayList<>();

  /** Where packets were made by steps outside of this machine's box. */
  private final Set<Place> makers = new LinkedHashSet<>();

  /** It was sent past all hooks, as ARP and what packet sockets send. */
  private boolean direct;

  private final Deque<Level> levels = new ArrayDeque<>();
  private String title = "";

  /** An empty graph. */
  public WalkDot() {
    out.append("digraph walk {\n");
    line("  graph [rankdir=TB, bgcolor=transparent, nodesep=0.35, ranksep=0.4, fontsize=12,");
    line("    fontname=\"Helvetica,Arial,sans-serif\", fontcolor=\"" + TEXT + "\"]");
    line("  node [shape=plain, fontsize=11, fontname=\"Helvetica,Arial,sans-serif\"]");
    line("  edge [color=\"" + LINE + "\", arrowsize=0.7]");
  }

  /** Draws one packet more. */
  public void add(FrameRecord record) {
    lines.clear();
    taken.clear();
    caused.clear();
    ends.clear();
    makers.clear();
    direct = false;
    levels.clear();
    levels.push(new Level());
    for (TraceEvent event : record.events) {
      tell(event);
    }
    packets++;
    String id = "p" + packets;
    line("");
    line("  subgraph cluster_" + id + " {");
    line("    style=\"filled,rounded\"; color=\"" + LINE + "\"; fillcolor=\"" + CARD + "\"");
    line("    margin=14; labeljust=l");
    line("    label=<" + heading(record) + ">");
    for (Place place : Place.values()) {
      if (place != Place.ARP || lines.containsKey(place)) {
        node(id, place);
      }
    }
    line("    {rank=same; %s_LOCAL_IN; %s_FORWARD}".formatted(id, id));
    for (Place.Way way : Place.WAYS) {
      boolean arp = way.from() == Place.ARP || way.to() == Place.ARP;
      if (!arp || lines.containsKey(Place.ARP)) {
        edge(id, way.from(), way.to().name(), style(way));
      }
    }
    if (direct) {
      edge(id, Place.LOCAL, Place.OUT.name(), bold(TAKEN));
    }
    for (Place maker : makers) {
      edge(id, maker, Place.LOCAL.name(), dashed(CAUSED) + ", constraint=false");
    }
    for (int i = 0; i < ends.size(); i++) {
      End end = ends.get(i);
      String colour = end.lost ? LOST : CAUSED;
      String name = "end" + (i + 1);
      line("    %s_%s [label=<%s>]".formatted(id, name, box(colour, end)));
      edge(id, end.from, name, end.caused ? dashed(colour) : bold(colour));
    }
    line("  }");
  }

  private void edge(String id, Place from, String to, String style) {
    line("    %s_%s -> %s_%s [%s]".formatted(id, from, id, to, style));
  }

  private String style(Place.Way way) {
    return taken.contains(way) ? bold(TAKEN) : caused.contains(way) ? dashed(CAUSED) : "";
  }

  private static String bold(String colour) {
    return "color=\"" + colour + "\", penwidth=3, style=bold";
  }

  private static String dashed(String colour) {
    return "color=\"" + colour + "\", penwidth=2, style=dashed";
  }

  private static String box(String colour, End end) {
    return "<TABLE BORDER=\"0\" CELLBORDER=\"2\" CELLSPACING=\"0\" CELLPADDING=\"5\" COLOR=\""
        + colour
        + "\"><TR><TD>"
        + font(colour, wrapped(end.text))
        + "</TD></TR></TABLE>";
  }

  /** The whole graph. */
  public String finish() {
    return out + "}\n";
  }

  private void line(String text) {
    out.append(text).append('\n');
  }

  private String heading(FrameRecord record) {
    StringBuilder text = new StringBuilder("<B>").append(escaped(title)).append("</B>");
    String colour = record.fate == Fate.DROPPED ? LOST : TAKEN;
    newLine(text).append(font(colour, wrapped("=> " + WalkResult.text(record), 100)));
    List<WalkResult.Change> changes = WalkResult.changes(record);
    if (!changes.isEmpty()) {
      String words = "changed: " + WalkResult.inWords(changes);
      newLine(text).append(font(CHANGED, wrapped(words, 100)));
    }
    return newLine(text).toString();
  }

  private static StringBuilder newLine(StringBuilder text) {
    return text.append("<BR ALIGN=\"LEFT\"/>");
  }

  // ---- boxes ------------------------------------------------------------------------------------

  private void node(String id, Place place) {
    Map<String, List<Line>> rows = lines.get(place);
    boolean there = rows != null || isPassed(place);
    StringBuilder label = new StringBuilder("<TABLE BORDER=\"0\" CELLSPACING=\"0\"");
    label.append(" CELLBORDER=\"1\" CELLPADDING=\"4\" COLOR=\"");
    label.append(there ? TEXT : LINE).append("\">");
    String head = there ? "<B>" + place.title + "</B>" : place.title;
    label.append("<TR><TD COLSPAN=\"2\" BGCOLOR=\"").append(place.hook ? HOOK : OTHER);
    label.append("\">").append(font(there ? TEXT : QUIET, head)).append("</TD></TR>");
    List<String> untouched = new ArrayList<>();
    for (String name : place.rows) {
      if (rows != null && rows.containsKey(name)) {
        untouched(label, untouched);
        row(label, name, rows.get(name));
      } else {
        untouched.add(name);
      }
    }
    untouched(label, untouched);
    label.append("</TABLE>");
    line("    %s_%s [tooltip=\"%s\", label=<%s>]".formatted(id, place, place.title, label));
  }

  private boolean isPassed(Place place) {
    for (Place.Way way : Place.WAYS) {
      boolean passed = taken.contains(way) || caused.contains(way);
      if (passed && (way.from() == place || way.to() == place)) {
        return true;
      }
    }
    return false;
  }

  /** One row for parts that the packet did not touch. */
  private static void untouched(StringBuilder label, List<String> names) {
    if (!names.isEmpty()) {
      String all = String.join(" \u00b7 ", names);
      label.append("<TR><TD COLSPAN=\"2\" ALIGN=\"LEFT\">");
      label.append(font(QUIET, all)).append("</TD></TR>");
      names.clear();
    }
  }

  private static void row(StringBuilder label, String name, List<Line> lines) {
    label.append("<TR><TD ALIGN=\"LEFT\" VALIGN=\"TOP\">");
    label.append(font(TEXT, "<B>" + name + "</B>"));
    label.append("</TD><TD ALIGN=\"LEFT\" BALIGN=\"LEFT\">");
    boolean first = true;
    for (Line line : lines) {
      if (!first) {
        newLine(label);
      }
      first = false;
      label.append(font(line.colour, wrapped(line.text)));
      if (!line.source.isEmpty()) {
        newLine(label).append(font(QUIET, escaped(line.source)));
      }
    }
    label.append("</TD></TR>");
  }

  private static String font(String colour, String escaped) {
    return "<FONT COLOR=\"" + colour + "\">" + escaped + "</FONT>";
  }

  private static String wrapped(String text) {
    return wrapped(text, WIDTH);
  }

  private static String wrapped(String text, int width) {
    StringBuilder all = new StringBuilder();
    int used = 0;
    for (String word : text.split(" ")) {
      if (used > 0 && used + 1 + word.length() > width) {
        newLine(all);
        used = 0;
      }
      all.append(used > 0 ? " " : "").append(escaped(word));
      used += word.length() + (used > 0 ? 1 : 0);
    }
    return all.toString();
  }

  /** Graphviz reads labels as XML. */
  private static String escaped(String text) {
    StringBuilder safe = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                default -> {
                  boolean allowed = c >= ' ' && c < 0xFFFE && (c < 0xD800 || c > 0xDFFF);
                  safe.appendCodePoint(allowed || c > 0xFFFF ? c : '?');
                }
              }
            });
    return safe.toString();
  }

  // ---- steps ------------------------------------------------------------------------------------

  private void tell(TraceEvent event) {
    Level level = levels.peek();
    if (event instanceof TraceEvent.Frame frame) {
      title =
          "#%d  %s  %s  %s"
              .formatted(
                  frame.frame(),
                  TIME.format(
                      Instant.ofEpochSecond(
                          Math.floorDiv(frame.time(), 1_000_000_000L),
                          Math.floorMod(frame.time(), 1_000_000_000L))),
                  frame.outgoing() ? "sent by the host" : frame.device(),
                  frame.summary());
      if (frame.outgoing()) {
        add(Place.LOCAL, "sockets", "sends " + frame.summary());
      } else {
        add(Place.IN, "nic", frame.device());
      }
    } else if (event instanceof TraceEvent.Nic nic) {
      add(Place.IN, "nic", nic.text());
    } else if (event instanceof TraceEvent.HardIrq irq) {
      add(Place.IN, "hard irq", irq.text());
    } else if (event instanceof TraceEvent.SoftIrq softIrq) {
      add(Place.IN, "softirq", softIrq.text());
    } else if (event instanceof TraceEvent.Step step) {
      function(step.function(), step.text());
    } else if (event instanceof TraceEvent.Queued queued) {
      function(queued.function(), queued.text());
    } else if (event instanceof TraceEvent.Socket socket) {
      add(Place.LOCAL, "sockets", socket.socket() + ": " + socket.text());
    } else if (event instanceof TraceEvent.Route route) {
      route(level, route);
    } else if (event instanceof TraceEvent.HookEnter enter) {
      level.hook = enter.hook();
    } else if (event instanceof TraceEvent.HookLeave) {
      level.hook = null;
      level.table = null;
    } else if (event instanceof TraceEvent.TableEnter table) {
      level.table = table.table();
      level.rules = table.rules();
    } else if (event instanceof TraceEvent.TableLeave) {
      level.table = null;
    } else if (event instanceof TraceEvent.HookStep step) {
      inHook(level, step.name(), step.text(), "", TEXT);
    } else if (event instanceof TraceEvent.RuleMatched rule) {
      String words = rule.rule().isEmpty() ? "(matches everything)" : rule.rule();
      inHook(level, rule.table(), name(rule.chain(), rule.number()) + words, rule.source(), TAKEN);
    } else if (event instanceof TraceEvent.RuleMissed rule) {
      String words = name(rule.chain(), rule.number()) + rule.rule() + ": no, " + rule.reason();
      inHook(level, rule.table(), words, rule.source(), QUIET);
    } else if (event instanceof TraceEvent.Policy policy) {
      String none = level.rules == 0 ? " (no rules)" : "";
      inHook(level, policy.table(), "policy " + policy.policy() + none, "", TEXT);
    } else if (event instanceof TraceEvent.Detail detail) {
      here(level, detail.text(), QUIET);
    } else if (event instanceof TraceEvent.Changed changed) {
      String words = changed.field() + " " + changed.before() + " -> " + changed.after();
      if (level.hook != null && level.table == null && !isIn(level, level.hook)) {
        // A connection's later packets are translated without a word from the nat table.
        inHook(level, "nat", words, "", CHANGED);
      } else if (level.hook != null) {
        here(level, words, CHANGED);
      }
    } else if (event instanceof TraceEvent.Log log) {
      if (level.hook != null) {
        inHook(level, "log", "log: " + log.line(), "", QUIET);
      } else {
        here(level, "log: " + log.line(), QUIET);
      }
    } else if (event instanceof TraceEvent.Made made) {
      made(level, made);
    } else if (event instanceof TraceEvent.Sent sent) {
      String words = sent.device() + " #" + sent.index() + ": " + sent.summary();
      add(Place.OUT, "transmit", words);
      leaveMade();
    } else if (event instanceof TraceEvent.Withheld) {
      end(level, "held back: the machine's own answers are in the capture", false);
    } else if (event instanceof TraceEvent.Dropped dropped) {
      end(level, "dropped: " + dropped.reason() + " in " + dropped.function(), true);
    }
  }

  private static String name(String chain, int number) {
    return (WalkText.isBuiltIn(chain) ? "rule " : chain + " ") + number + "  ";
  }

  private void function(String function, String text) {
    Level level = levels.peek();
    Place.Part part = Place.of(function);
    if (function.equals("packet_snd") && level.place == Place.LOCAL) {
      direct = true;
      level.place = Place.OUT;
    }
    if (level.hook != null) {
      inHook(level, function, text, "", TEXT);
    } else if (part != null) {
      add(part.place(), part.row(), function + ": " + text);
    } else {
      here(level, function + ": " + text, TEXT);
    }
  }

  private void route(Level level, TraceEvent.Route route) {
    Place.Part part = Place.of(route.function());
    String words = route.result() + ": " + route.text();
    if (part == null && level.hook != null) {
      inHook(level, route.function(), words, "", TEXT);
    } else {
      add(part == null ? Place.ROUTE_OUT : part.place(), "decision", words);
    }
  }

  private void made(Level level, TraceEvent.Made made) {
    Place maker = level.place;
    here(level, made.function() + " makes " + made.summary(), CAUSED);
    Level packet = new Level();
    boolean arp = made.function().startsWith("arp");
    packet.place = arp ? Place.ARP : Place.LOCAL;
    packet.row = arp ? "neighbours" : "icmp, resets";
    levels.push(packet);
    if (!arp && maker != null && maker != Place.LOCAL) {
      makers.add(maker);
      here(packet, made.summary(), CAUSED);
    }
  }

  private void end(Level level, String text, boolean lost) {
    Place from = level.place == null ? Place.IN : level.place;
    ends.add(new End(from, text, lost, levels.size() > 1));
    leaveMade();
  }

  private void leaveMade() {
    if (levels.size() > 1) {
      levels.pop();
    }
  }

  private boolean isIn(Level level, String hook) {
    return level.place != null && level.place.name().equals(hook);
  }

  private void inHook(Level level, String row, String text, String source, String colour) {
    Place place = Place.valueOf(level.hook);
    String name = level.table != null ? level.table : place.rows.contains(row) ? row : "confirm";
    add(place, name, text, source, colour);
  }

  private void here(Level level, String text, String colour) {
    if (level.place != null) {
      add(level.place, level.row, text, "", colour);
    }
  }

  private void add(Place place, String row, String text) {
    add(place, row, text, "", TEXT);
  }

  /** The packet at hand is there now, and this is what happens. */
  private void add(Place place, String row, String text, String source, String colour) {
    Level level = levels.peek();
    boolean made = levels.size() > 1;
    if (level.place != null && level.place != place) {
      List<Place.Way> ways = level.place.waysTo(place);
      (made ? caused : taken).addAll(ways);
    }
    level.place = place;
    level.row = row;
    String ink = made && (colour.equals(TEXT) || colour.equals(TAKEN)) ? CAUSED : colour;
    lines
        .computeIfAbsent(place, key -> new LinkedHashMap<>())
        .computeIfAbsent(row, key -> new ArrayList<>())
        .add(new Line(text, source, ink));
  }
}
