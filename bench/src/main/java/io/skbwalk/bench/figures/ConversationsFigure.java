// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.bench.ConversationCapture;
import io.skbwalk.bench.ConversationRouter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** TCP conversations through a router with thirty rules, in steady state. */
final class ConversationsFigure {
  private static final String OURS = "skbwalk, steady state";
  private static final String AHEAD = "skbwalk, another processor reads";
  private static final String KERNEL = "Linux, fed through a TAP";
  private static final String PLAIN = "bare loop, reading by itself";
  private static final String READER = "bare loop, through CaptureReader";

  private ConversationsFigure() {}

  static Table measure(Setting setting) throws IOException {
    int conversations = setting.scaled(20_000);
    Path capture = setting.conversations(conversations);
    long frames = (long) conversations * ConversationCapture.FRAMES;
    Steady steady = new Steady(capture, () -> ConversationRouter.host(true));
    Table table =
        new Table(
            Table.grouped(frames)
                + " frames of TCP conversations, forwarded, conntrack, thirty rules");
    try (Kernel kernel = Kernel.of(ConversationRouter.description(), capture)) {
      Race race = new Race();
      if (kernel != null) {
        race.add(KERNEL, () -> kernel.run(ConversationRouter.rulesText()));
      }
      if (Child.output("tcpdump", "--version") != null) {
        List<String> copy = List.of("tcpdump", "-r", capture.toString(), "-w", "/dev/null");
        race.add("tcpdump -w /dev/null, a process", () -> Child.run(frames, copy));
      }
      race.add(PLAIN, setting.warmups(), () -> BareLoop.plain(capture));
      race.add(READER, setting.warmups(), () -> BareLoop.throughReader(capture));
      race.add(OURS, 2 * setting.warmups(), steady::run);
      race.add(AHEAD, setting.warmups(), steady::runReadAhead);
      race.run(setting.rounds());
      table.race(race, OURS);
      Cost ours = race.best(OURS);
      table.atLeast("on one core", 4, ours.cpuRate(), "M frames/s");
      if (kernel != null) {
        double linux = race.best(KERNEL).nanosPerFrame();
        table.atLeast("against Linux", 12, linux / ours.nanosPerFrame(), "times as fast");
        table.note(Table.sameWork(kernel, steady));
      }
      double bare = Math.max(race.best(PLAIN).cpuRate(), race.best(READER).cpuRate());
      table.atMost("against the faster bare loop", 3, bare / ours.cpuRate(), "times its time");
    }
    return table;
  }
}
