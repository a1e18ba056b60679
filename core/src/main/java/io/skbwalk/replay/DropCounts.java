// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import io.skbwalk.skb.DropReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** How often packets were dropped, by reason and function. Counting allocates nothing. */
public final class DropCounts {
  /** One line of the list. */
  public record Line(DropReason reason, String function, long frames) {}

  private final String[][] functions = new String[DropReason.values().length][0];
  private final long[][] counts = new long[DropReason.values().length][0];

  /** One more, or with -1 one less. */
  void add(DropReason reason, String function, int by) {
    String[] known = functions[reason.ordinal()];
    int at = 0;
    while (at < known.length && known[at] != function && !known[at].equals(function)) {
      at++;
    }
    if (at == known.length) {
      functions[reason.ordinal()] = Arrays.copyOf(known, at + 1);
      functions[reason.ordinal()][at] = function;
      counts[reason.ordinal()] = Arrays.copyOf(counts[reason.ordinal()], at + 1);
    }
    counts[reason.ordinal()][at] += by;
  }

  /** The most frequent first; equals by name. */
  public List<Line> lines() {
    List<Line> lines = new ArrayList<>();
    for (DropReason reason : DropReason.values()) {
      for (int i = 0; i < functions[reason.ordinal()].length; i++) {
        if (counts[reason.ordinal()][i] > 0) {
          lines.add(new Line(reason, functions[reason.ordinal()][i], counts[reason.ordinal()][i]));
        }
      }
    }
    lines.sort(
        Comparator.comparingLong((Line line) -> -line.frames)
            .thenComparing(line -> line.reason.name())
            .thenComparing(Line::function));
    return lines;
  }
}
