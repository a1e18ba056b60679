// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.OptionRow.Expectation;
import io.skbwalk.netfilter.ipset.SetType;
import io.skbwalk.netfilter.tables.Extensions;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which options of which extensions the option tables show, as a document. */
final class OptionCoverage {
  /** What the kernel of this project's machines lacks; IpsetSaveTest asks it. */
  static final Set<String> UNKNOWN_SETS =
      Set.of("hash:mac", "hash:ip,mac", "hash:ip,mark", "hash:net,net", "hash:net,port,net");

  private final StringBuilder document = new StringBuilder();

  private record Reason(String extension, String why) {}

  /** What is not shown. */
  private final Map<Reason, List<String>> unshown = new LinkedHashMap<>();

  private final List<String> missing = new ArrayList<>();
  private final Path folder;

  private OptionCoverage(Path folder) {
    this.folder = folder;
  }

  /**
   * What is not shown and nobody says why: an extension without a table; an option, or its
   * inversion, without hit or miss. And what is said to be not shown although it is.
   */
  static List<String> missing(Path folder) throws IOException {
    return of(folder).missing;
  }

  /** docs/conformance.md. */
  static String document(Path folder) throws IOException {
    return of(folder).document.toString();
  }

  private static OptionCoverage of(Path folder) throws IOException {
    OptionCoverage coverage = new OptionCoverage(folder);
    coverage.document.append(
        """
        # What the kernel has judged

        <!-- Generated from conformance/options by ConformanceDocumentTest -Dskbwalk.refresh=true. -->

        Each row is one rule with packets that it must count (hits) and packets that it must not (misses), through the model and through Linux 6.18;
        frames, drops, counters, connections and events must be equal. Refused and printed are rules as typed, judged by iptables-legacy-restore and iptables-legacy-save 1.8.9.
        `!`: rows that invert the option, with their hits and misses, which the others do not count. [conformance/README.md](../conformance/README.md) tells how to run them.

        | match or target | option | rows | hits | misses | `!` |
        | --- | --- | --- | --- | --- | --- |
        """);
    for (String name : Extensions.matchNames()) {
      MatchType type = Extensions.match(name);
      coverage.extension(name, type.options, true);
    }
    for (String name : Extensions.targetNames()) {
      coverage.extension(name, Extensions.target(name).options, false);
    }
    coverage.document.append("\n## What this kernel cannot show\n\n");
    coverage.unshown.forEach(
        (reason, what) ->
            coverage.document.append(
                "- `%s` %s: %s\n"
                    .formatted(reason.extension, String.join(", ", what), reason.why)));
    coverage.sets();
    return coverage;
  }

  private void extension(String name, List<OptionSpec> options, boolean match) throws IOException {
    Path file = folder.resolve(name + ".yaml");
    if (!Files.exists(file)) {
      missing.add("`" + name + "`: no table");
      return;
    }
    OptionTable table = OptionTable.read(file);
    document.append(
        "| [%s](../conformance/options/%s.yaml) | %d refused, %d printed | %d | %d | %d | |\n"
            .formatted(
                name,
                name,
                table.refused().size(),
                table.printed().size(),
                table.rows().size(),
                packets(table.rows(), Expectation.HIT),
                packets(table.rows(), Expectation.MISS)));
    Map<String, String> excuses = new LinkedHashMap<>(table.unshown());
    for (OptionSpec spec : options) {
      List<OptionRow> rows = rows(table, spec, false);
      List<OptionRow> inverted = rows(table, spec, true);
      String inversions =
          spec.invertible()
              ? "%d: %d, %d"
                  .formatted(
                      inverted.size(),
                      packets(inverted, Expectation.HIT),
                      packets(inverted, Expectation.MISS))
              : "";
      document.append(
          "| %s | `--%s` | %d | %d | %d | %s |\n"
              .formatted(
                  name,
                  spec.name(),
                  rows.size(),
                  packets(rows, Expectation.HIT),
                  packets(rows, Expectation.MISS),
                  inversions));
      ask(name, spec.name(), rows, match, excuses);
      if (spec.invertible()) {
        ask(name, "! " + spec.name(), inverted, match, excuses);
      }
    }
    excuses.forEach(
        (option, why) ->
            missing.add(
                "`%s`: unshown \"%s\", which is no option or shown".formatted(name, option)));
  }

  /** Are there a hit and a miss, or does the table say why not? What it says is used up. */
  private void ask(
      String name,
      String option,
      List<OptionRow> rows,
      boolean match,
      Map<String, String> excuses) {
    boolean hit = packets(rows, Expectation.HIT) > 0;
    boolean miss = packets(rows, Expectation.MISS) > 0 || !match;
    if (hit && miss || rows.isEmpty() && excuse(name, option, excuses)) {
      return;
    }
    for (OptionRow row : rows) {
      if (row.notObservable() != null) {
        say(name, option, row.notObservable());
        return;
      }
    }
    if (!hit && !excuse(name, option + " hit", excuses)) {
      missing.add("`%s`: no hit of %s".formatted(name, option));
    }
    if (!miss && !excuse(name, option + " miss", excuses)) {
      missing.add("`%s`: no miss of %s".formatted(name, option));
    }
  }

  private boolean excuse(String name, String what, Map<String, String> excuses) {
    String why = excuses.remove(what);
    if (why != null) {
      say(name, what, why);
    }
    return why != null;
  }

  private void say(String name, String what, String why) {
    String dashed = what.replaceFirst("^(! )?", "$1--");
    unshown
        .computeIfAbsent(new Reason(name, why), key -> new ArrayList<>())
        .add("`" + dashed + "`");
  }

  private static List<OptionRow> rows(OptionTable table, OptionSpec spec, boolean inverted) {
    return table.rows().stream().filter(row -> says(row.rule(), spec, inverted)).toList();
  }

  private void sets() {
    document.append(
        """

        ## Types of ipset

        What the kernel's own `ipset save` prints, and which packets match, is compared for %s.

        Linux 6.18 of these machines was built without %s; these rest on unit tests, which were written from ipset's documentation and its source.
        """
            .formatted(
                labels(type -> !UNKNOWN_SETS.contains(type)), labels(UNKNOWN_SETS::contains)));
  }

  private static String labels(Predicate<String> which) {
    return Stream.of(SetType.values())
        .map(type -> type.label)
        .filter(which)
        .map(label -> "`" + label + "`")
        .collect(Collectors.joining(", "));
  }

  private static long packets(List<OptionRow> rows, Expectation kind) {
    return rows.stream().flatMap(row -> row.expectations().stream()).filter(kind::equals).count();
  }

  /** Is the option, by one of its names, a word of the rule, behind a {@code !} or not? */
  private static boolean says(String rule, OptionSpec spec, boolean inverted) {
    String[] words = rule.split("[ =]+");
    for (int i = 0; i < words.length; i++) {
      if (words[i].startsWith("--")
          && spec.names().contains(words[i].substring(2))
          && inverted == (i > 0 && words[i - 1].equals("!"))) {
        return true;
      }
    }
    return false;
  }
}
