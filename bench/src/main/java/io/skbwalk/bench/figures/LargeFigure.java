// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.bench.ConversationCapture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A capture of any size, made while it is replayed, in a heap of 256 MiB. */
final class LargeFigure {
  /** Bytes of a conversation in a capture. */
  private static final long BYTES = 25_630;

  private LargeFigure() {}

  static Table measure(Setting setting) throws IOException {
    long bytes = (setting.small() ? 1L << 26 : 1L << 30) * setting.gigabytes();
    int conversations = (int) (bytes / BYTES);
    long frames = (long) conversations * ConversationCapture.FRAMES;
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    // The shell's own pipe; its children's names are checked by their exit status alone.
    String pipe =
        quoted(java, "-Xmx64m", "-XX:+UseSerialGC", "-cp", System.getProperty("java.class.path"))
            + quoted(ConversationCapture.class.getName(), "-", Integer.toString(conversations))
            + "| "
            + quoted("env", "SKBWALK_JAVA_OPTS=-Xmx256m", setting.skbwalk(), "replay", "-")
            + quoted("--host", setting.router("host.yaml"))
            + quoted("--rules", setting.router("rules.v4"))
            + quoted("--save", "report,counters,conntrack", "--quiet")
            + quoted("--out", setting.scratch().resolve("large").toString());
    List<Long> memory = new ArrayList<>();
    // Of the two at the ends of the pipe, the one that is no generator.
    Cost cost =
        Child.run(
            frames, List.of("bash", "-c", "set -o pipefail; " + pipe), new Replays(memory)::sample);
    Table table =
        new Table(
            String.format("A capture of %,d MiB through a pipe, a heap of 256 MiB", bytes >> 20));
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"of the replay", "resident memory, MiB"});
    for (int tenth = 1; tenth <= 10; tenth++) {
      int at = Math.max(0, memory.size() * tenth / 10 - 1);
      long then = memory.isEmpty() ? 0 : memory.get(at);
      rows.add(new String[] {tenth * 10 + " %", Table.number(then / 1048576.0)});
    }
    table.table(rows);
    long most = memory.stream().mapToLong(Long::longValue).max().orElse(0);
    table.atMost("all its memory", 400, most / 1048576.0, "MiB");
    table.note(
        String.format(
            "%,d frames in %.1f s, generator included; by the middle of the replay the process had"
                + " %.0f MiB.",
            frames, cost.wallNanos() / 1e9, half(memory) / 1048576.0));
    return table;
  }

  private static double half(List<Long> memory) {
    return memory.stream()
        .limit((memory.size() + 1) / 2)
        .mapToLong(Long::longValue)
        .max()
        .orElse(0);
  }

  /** What the process at the end of the pipe has. */
  private record Replays(List<Long> memory) {
    void sample(long shell) {
      ProcessHandle.current()
          .descendants()
          .filter(one -> one.info().arguments().map(Replays::isReplay).orElse(false))
          .findAny()
          .ifPresent(
              one -> {
                try {
                  long bytes = Child.memory(one.pid());
                  if (bytes > 0) {
                    memory.add(bytes);
                  }
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
    }

    private static boolean isReplay(String[] arguments) {
      List<String> all = List.of(arguments);
      return all.contains("-XX:-UsePerfData") && all.contains("replay");
    }
  }

  private static String quoted(String... words) {
    StringBuilder text = new StringBuilder();
    for (String word : words) {
      text.append('\'').append(word.replace("'", "'\\''")).append("' ");
    }
    return text.toString();
  }
}
