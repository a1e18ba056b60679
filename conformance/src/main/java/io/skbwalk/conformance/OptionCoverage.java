// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.OptionRow.Expectation;
import io.skbwalk.netfilter.tables.Extensions;
import io.skbwalk.netfilter.tables.MatchType;
import io.skbwalk.netfilter.tables.OptionSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Which options of which extensions the option tables show, as a document. */
final class OptionCoverage {
  private final StringBuilder document = new StringBuilder();
  private final List<String> missing = new ArrayList<>();
  private final Path folder;

  private OptionCoverage(Path folder) {
    this.folder = folder;
  }

  /** What is not shown yet: an extension without a table, an option without hit or miss. */
  static List<String> missing(Path folder) throws IOException {
    return of(folder).missing;
  }

  /** docs/conformance.md. */
  static String document(Path folder) throws IOException {
    OptionCoverage coverage = of(folder);
    if (!coverage.missing.isEmpty()) {
      coverage.document.append("\n## Not shown by a row yet\n\n");
      coverage.missing.forEach(line -> coverage.document.append("- ").append(line).append('\n'));
    }
    return coverage.document.toString();
  }

  private static OptionCoverage of(Path folder) throws IOException {
    OptionCoverage coverage = new OptionCoverage(folder);
    coverage.document.append(
        """
        # What the kernel has judged

        <!-- Generated from conformance/options by ConformanceDocumentTest -Dskbwalk.refresh=true. -->

        Each row is one rule with packets that it must count (hits) and packets that it must not (misses), through the model and through Linux 6.18;
        frames, drops, counters, connections and events must be equal. Refused and printed are rules as typed, judged by iptables-legacy-restore and iptables-legacy-save 1.8.9.
        [conformance/README.md](../conformance/README.md) tells how to run them.

        | match or target | option | rows | hits | misses |
        | --- | --- | --- | --- | --- |
        """);
    for (String name : Extensions.matchNames()) {
      MatchType type = Extensions.match(name);
      coverage.extension(name, type.options, true);
    }
    for (String name : Extensions.targetNames()) {
      coverage.extension(name, Extensions.target(name).options, false);
    }
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
        "| [%s](../conformance/options/%s.yaml) | %d refused, %d printed | %d | %d | %d |\n"
            .formatted(
                name,
                name,
                table.refused().size(),
                table.printed().size(),
                table.rows().size(),
                packets(table.rows(), Expectation.HIT),
                packets(table.rows(), Expectation.MISS)));
    for (OptionSpec spec : options) {
      List<OptionRow> rows = table.rows().stream().filter(row -> says(row.rule(), spec)).toList();
      long hits = packets(rows, Expectation.HIT);
      long misses = packets(rows, Expectation.MISS);
      document.append(
          "| %s | `--%s` | %d | %d | %d |\n"
              .formatted(name, spec.name(), rows.size(), hits, misses));
      boolean unobservable = rows.stream().anyMatch(row -> row.notObservable() != null);
      if (rows.isEmpty()) {
        missing.add("`%s --%s`: no row".formatted(name, spec.name()));
      } else if (!unobservable && hits == 0) {
        missing.add("`%s --%s`: no hit".formatted(name, spec.name()));
      } else if (!unobservable && match && misses == 0) {
        missing.add("`%s --%s`: no miss".formatted(name, spec.name()));
      }
    }
  }

  private static long packets(List<OptionRow> rows, Expectation kind) {
    return rows.stream().flatMap(row -> row.expectations().stream()).filter(kind::equals).count();
  }

  /** Is the option, by one of its names, a word of the rule? */
  private static boolean says(String rule, OptionSpec spec) {
    return List.of(rule.split("[ =]+")).stream()
        .anyMatch(word -> word.startsWith("--") && spec.names().contains(word.substring(2)));
  }
}
