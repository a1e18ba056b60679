// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.bench.ConversationCapture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The same conversations as a whole process, from its start to its end, with results saved. */
final class ProcessFigure {
  private static final String OURS = "skbwalk replay --save report,counters,conntrack";
  private static final String COPY = "tcpdump -r FILE -w /dev/null";

  private ProcessFigure() {}

  static Table measure(Setting setting) throws IOException {
    Table table = new Table("Whole processes, their start included");
    if (Child.output("tcpdump", "--version") == null) {
      table.note("tcpdump is missing.");
      return table;
    }
    race(setting, table, 20_000, 0);
    race(setting, table, 200_000, 1.5);
    return table;
  }

  private static void race(Setting setting, Table table, int all, double goal) throws IOException {
    int conversations = setting.scaled(all);
    long frames = (long) conversations * ConversationCapture.FRAMES;
    Path capture = setting.conversations(conversations);
    List<String> copy = List.of("tcpdump", "-r", capture.toString(), "-w", "/dev/null");
    String out = setting.scratch().resolve("out").toString();
    List<String> replay =
        setting.replay(capture, "--save", "report,counters,conntrack", "--out", out);
    Race race =
        new Race()
            .add(COPY, setting.small() ? 0 : 1, () -> Child.run(frames, copy))
            .add(OURS, setting.small() ? 0 : 1, () -> Child.run(frames, replay))
            .run(setting.rounds());
    table.race(race, OURS);
    Cost ours = race.best(OURS);
    Cost dump = race.best(COPY);
    String what = Table.grouped(frames) + " frames";
    double wall = (double) ours.wallNanos() / dump.wallNanos();
    double processor = (double) ours.cpuNanos() / dump.cpuNanos();
    if (goal > 0) {
      table.atMost(what + ", by the clock", goal, wall, "times tcpdump");
      table.atMost(what + ", processor time", goal, processor, "times tcpdump");
    } else {
      table.seen(what + ", by the clock", wall, "times tcpdump");
      table.seen(what + ", processor time", processor, "times tcpdump");
    }
    if (all > 20_000) {
      // Gigabytes; nothing else reads it.
      Files.delete(capture);
    }
  }
}
