// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Comparison.Difference;
import java.io.IOException;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Rows that are run: those in which time passes, and which only sleep, many at once. */
final class RowRuns {
  private static final int AT_ONCE = 24;

  private final Map<OptionRow, Future<List<Difference>>> started = new IdentityHashMap<>();

  /** Starts those of {@code rows} that take time. */
  RowRuns(Collection<OptionRow> rows) {
    ExecutorService sleepers =
        Executors.newFixedThreadPool(
            AT_ONCE,
            work -> {
              Thread thread = new Thread(work, "row");
              thread.setDaemon(true);
              return thread;
            });
    rows.stream()
        .filter(row -> row.scenario().takesTime())
        .forEach(row -> started.put(row, sleepers.submit(row::problems)));
    sleepers.shutdown();
  }

  /** {@link OptionRow#problems} of {@code row}. */
  List<Difference> problems(OptionRow row) throws IOException {
    Future<List<Difference>> run = started.get(row);
    if (run == null) {
      return row.problems();
    }
    try {
      return run.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    }
  }
}
