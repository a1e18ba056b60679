// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.lib.Spelling;
import io.skbwalk.replay.OutputFolder.Content;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** What replay and walk have in common: where results go. */
final class OutputOptions implements Cloneable {
  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Write report.json, packets.jsonl, counters.v4, conntrack.txt, events.txt, sockets.txt,"
              + " tx-IFACE.pcapng and dropped.pcapng there, in place of those of an earlier run.")
  Path out;

  @Option(
      names = "--save",
      split = ",",
      paramLabel = "NAME",
      completionCandidates = Names.class,
      description =
          "Of these only: report, packets, counters, conntrack, events, sockets, tx, dropped.")
  List<String> save;

  @Option(
      names = "--trace",
      paramLabel = "FILE|-",
      description =
          "Write the walk of every packet as JSON lines; with a TRACE rule, of those it matches.")
  String trace;

  @Option(
      names = "--annotate",
      paramLabel = "FILE|-",
      description =
          "Write the input once more as pcapng for Wireshark: every frame as it is, with a comment"
              + " on what became of it, by which rule, in which connection state.")
  String annotate;

  @Option(names = "--json", description = "Print JSON instead of text.")
  boolean json;

  @Option(
      names = "--quiet",
      description = "No progress and no remarks; of replay no summary either.")
  boolean quiet;

  /** The same results in another folder, or none. */
  OutputOptions with(Path out) {
    OutputOptions other = clone();
    other.out = out;
    return other;
  }

  @Override
  protected OutputOptions clone() {
    try {
      return (OutputOptions) super.clone();
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static final class Names implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.of(Content.values()).map(one -> one.label).iterator();
    }
  }

  /** Checks {@code --save}: the files that are wanted. */
  Set<Content> contents() {
    if (save == null) {
      return EnumSet.allOf(Content.class);
    }
    if (out == null) {
      throw new Unusable("--save says which files; say where with --out DIR");
    }
    Set<Content> chosen = EnumSet.noneOf(Content.class);
    for (String name : save) {
      String wanted = name.strip();
      Content content =
          Stream.of(Content.values())
              .filter(one -> one.label.equals(wanted))
              .findAny()
              .orElseThrow(() -> new Unusable("--save " + wanted + ": " + suggestion(wanted)));
      chosen.add(content);
    }
    return chosen;
  }

  /**
   * Checks that standard output is for one thing only.
   *
   * @param printed what the command itself prints there; null when it would not mind
   */
  void checkStandardOutput(String printed) {
    boolean traces = "-".equals(trace);
    boolean annotates = "-".equals(annotate);
    if (printed != null && (traces || annotates)) {
      String option = traces ? "--trace" : "--annotate";
      throw new Unusable(
          printed
              + " and "
              + option
              + " - both print to standard output; give "
              + option
              + " a file");
    }
    if (traces && annotates) {
      throw new Unusable(
          "--trace - and --annotate - both print to standard output; give one a file");
    }
  }

  /** Is standard output taken by a trace or a capture? */
  boolean takesStandardOutput() {
    return "-".equals(trace) || "-".equals(annotate);
  }

  private static String suggestion(String wanted) {
    String names =
        Stream.of(Content.values()).map(one -> one.label).collect(Collectors.joining(", "));
    String best =
        Spelling.nearest(wanted, Stream.of(Content.values()).map(one -> one.label).toList());
    return best == null
        ? "there is no such file; files are " + names
        : "did you mean " + best + "? Files are " + names;
  }
}
