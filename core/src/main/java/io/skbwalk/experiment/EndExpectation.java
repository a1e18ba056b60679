// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.host.Host;
import io.skbwalk.language.YamlValue;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.conntrack.Conntrack;
import io.skbwalk.netfilter.conntrack.ConntrackPrinter;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What is expected when an experiment is over: counters, and the table of connections. */
final class EndExpectation {
  /** A counter that is expected, -1 for any. */
  private record Count(String rule, long packets, long bytes, SourcePosition at) {}

  /** Words that stand, in this order, in the line of {@code conntrack -L} of a connection. */
  private record Line(String text, SourcePosition at) {
    boolean isIn(String connection) {
      int at = 0;
      for (String word : text.strip().split("\\s+")) {
        int found = (" " + connection + " ").indexOf(" " + word + " ", at);
        if (found < 0) {
          return false;
        }
        at = found + word.length();
      }
      return true;
    }
  }

  private final List<Count> counts = new ArrayList<>();
  private final List<Line> has = new ArrayList<>();
  private final List<Line> lacks = new ArrayList<>();

  /** The connections are those of {@link #has} and no other. */
  private boolean complete;

  private SourcePosition connections;
  private long connectionCount = -1;

  /** Virtual time that passes before it is looked, nanoseconds. */
  final long afterNanos;

  private EndExpectation(long afterNanos) {
    this.afterNanos = afterNanos;
  }

  /** Reads it. */
  static EndExpectation of(YamlValue value, RuleNames rules) {
    YamlValue.Fields fields =
        value.fields("what is expected at the end", "after", "counters", "connections");
    YamlValue after = fields.get("after");
    EndExpectation expectation = new EndExpectation(after == null ? 0 : after.nanos());
    if (fields.get("counters") != null) {
      fields
          .get("counters")
          .entries()
          .forEach((rule, count) -> expectation.counts.add(count(rules.rule(rule), count)));
    }
    if (fields.get("connections") != null) {
      expectation.readConnections(fields.get("connections"));
    }
    return expectation;
  }

  private static Count count(String rule, YamlValue value) {
    if (value.isScalar()) {
      return new Count(rule, value.number(0, Long.MAX_VALUE), -1, value.position());
    }
    YamlValue.Fields fields = value.fields("a counter", "packets", "bytes");
    return new Count(
        rule,
        fields.number("packets", 0, Long.MAX_VALUE, -1),
        fields.number("bytes", 0, Long.MAX_VALUE, -1),
        value.position());
  }

  private void readConnections(YamlValue value) {
    connections = value.position();
    if (value.isScalar()) {
      connectionCount = value.number(0, Integer.MAX_VALUE);
    } else if (value.isList()) {
      complete = true;
      value.list().forEach(line -> has.add(new Line(line.text(), line.position())));
    } else {
      YamlValue.Fields fields = value.fields("the connections at the end", "count", "has", "lacks");
      connectionCount = fields.number("count", 0, Integer.MAX_VALUE, -1);
      fields.list("has").forEach(line -> has.add(new Line(line.text(), line.position())));
      fields.list("lacks").forEach(line -> lacks.add(new Line(line.text(), line.position())));
    }
  }

  /** How many things are expected. */
  int size() {
    return counts.size()
        + has.size()
        + lacks.size()
        + (complete ? 1 : 0)
        + (connectionCount < 0 ? 0 : 1);
  }

  /** What does not hold on {@code host}. */
  List<Failure.Mismatch> mismatches(Host host) {
    List<Failure.Mismatch> mismatches = new ArrayList<>();
    counters(host, mismatches);
    connections(host, mismatches);
    return mismatches;
  }

  // ---- counters ---------------------------------------------------------------------------------

  private void counters(Host host, List<Failure.Mismatch> mismatches) {
    if (counts.isEmpty()) {
      return;
    }
    Map<String, long[]> counters = new LinkedHashMap<>();
    for (RuleSet.Table table : host.tables().counters().tables()) {
      for (RuleSet.Chain chain : table.chains()) {
        String name = table.kind().label + "/" + chain.name();
        counters.put(name + " policy", new long[] {chain.packets(), chain.bytes()});
        int number = 0;
        for (Rule rule : chain.rules()) {
          counters.put(name + "#" + ++number, new long[] {rule.packets(), rule.bytes()});
        }
      }
    }
    for (Count count : counts) {
      long[] seen = counters.get(count.rule);
      if (count.packets >= 0 && count.packets != seen[0]
          || count.bytes >= 0 && count.bytes != seen[1]) {
        mismatches.add(
            new Failure.Mismatch(
                count.at,
                "counter of " + count.rule,
                inWords(count.packets, count.bytes),
                inWords(count.packets < 0 ? -1 : seen[0], count.bytes < 0 ? -1 : seen[1])));
      }
    }
  }

  private static String inWords(long packets, long bytes) {
    String first = packets < 0 ? "" : packets == 1 ? "1 packet" : packets + " packets";
    String second = bytes < 0 ? "" : bytes + " bytes";
    return first + (first.isEmpty() || second.isEmpty() ? "" : ", ") + second;
  }

  // ---- connections ------------------------------------------------------------------------------

  private void connections(Host host, List<Failure.Mismatch> mismatches) {
    if (connections == null) {
      return;
    }
    List<String> lines = new ArrayList<>();
    Conntrack conntrack = host.conntrack();
    for (int ct = conntrack.first(); ct != 0; ct = conntrack.next(ct)) {
      lines.add(ConntrackPrinter.list(conntrack, ct).strip().replaceAll("\\s+", " "));
    }
    String table = lines.isEmpty() ? Wanted.NONE : "\n" + String.join("\n", lines);
    if (connectionCount >= 0 && connectionCount != lines.size()) {
      mismatches.add(
          new Failure.Mismatch(
              connections,
              "connections",
              Long.toString(connectionCount),
              lines.size() + (lines.isEmpty() ? "" : ":" + table)));
    }
    int[] taken = assign(lines);
    for (int i = 0; i < has.size(); i++) {
      if (taken[i] < 0) {
        mismatches.add(new Failure.Mismatch(has.get(i).at, "connection", has.get(i).text, table));
      }
    }
    for (int at = 0; complete && at < lines.size(); at++) {
      int line = at;
      if (Arrays.stream(taken).noneMatch(one -> one == line)) {
        mismatches.add(new Failure.Mismatch(connections, "connections", "no other", lines.get(at)));
      }
    }
    for (Line lacking : lacks) {
      lines.stream()
          .filter(lacking::isIn)
          .forEach(
              line ->
                  mismatches.add(
                      new Failure.Mismatch(
                          lacking.at, "connection", "none with " + lacking.text, line)));
    }
  }

  /** A connection for each that is expected, no two the same; -1 where none is left. */
  private int[] assign(List<String> lines) {
    int[] taken = new int[has.size()];
    Arrays.fill(taken, -1);
    for (int i = 0; i < taken.length; i++) {
      take(i, lines, taken, new boolean[lines.size()]);
    }
    return taken;
  }

  /** Finds one for number {@code i}; who has it may have to take another. */
  private boolean take(int i, List<String> lines, int[] taken, boolean[] tried) {
    for (int line = 0; line < lines.size(); line++) {
      if (tried[line] || !has.get(i).isIn(lines.get(line))) {
        continue;
      }
      tried[line] = true;
      int owner = -1;
      for (int other = 0; other < taken.length; other++) {
        owner = taken[other] == line ? other : owner;
      }
      if (owner < 0 || take(owner, lines, taken, tried)) {
        taken[i] = line;
        return true;
      }
    }
    return false;
  }
}
