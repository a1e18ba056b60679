// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.bench.ConversationCapture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Replays that write down everything, as whole processes. */
final class OutputsFigure {
  private OutputsFigure() {}

  static Table measure(Setting setting) throws IOException {
    int conversations = setting.scaled(20_000);
    long frames = (long) conversations * ConversationCapture.FRAMES;
    Path capture = setting.conversations(conversations);
    Path out = setting.scratch().resolve("outputs");
    Path trace = setting.scratch().resolve("trace.jsonl");
    List<String> replay = setting.replay(capture);
    List<String> all = setting.replay(capture, "--out", out.toString());
    List<String> traced = setting.replay(capture, "--trace", trace.toString());
    Race race =
        new Race()
            .add("nothing but the replay", () -> Child.run(frames, replay))
            .add("every output file", () -> Child.run(frames, all))
            .add("--trace FILE", () -> Child.run(frames, traced))
            .run(Math.min(3, setting.rounds()));
    Table table = new Table("Every packet written down: whole processes, their start included");
    table.race(race, "nothing but the replay");
    table.atLeast(
        "every output file", 500_000, 1e6 * race.best("every output file").wallRate(), "packets/s");
    table.atLeast("--trace FILE", 500_000, 1e6 * race.best("--trace FILE").wallRate(), "packets/s");
    table.note(
        String.format(
            "The trace has %,d bytes a packet, the other files have %,d.",
            Files.size(trace) / frames, bytes(out) / frames));
    Files.delete(trace);
    return table;
  }

  private static long bytes(Path folder) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }
}
