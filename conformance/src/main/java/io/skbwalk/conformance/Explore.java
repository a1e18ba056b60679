// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Comparison.Difference;
import io.skbwalk.lib.SourceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Random scenarios through both sides (bin/explore). Each that differs is kept as a packet scenario
 * that shows it again.
 */
public final class Explore {
  private static final String USAGE =
      """
      usage: bin/explore N [--from SEED] [--keep DIR]   run N random scenarios; keep those that differ in DIR
                                                       (target/found); SEED is drawn when it is not given
                        [--rules FILE]                 under these rules (iptables-save's) instead of random ones
             bin/explore --seed SEED [--frame N]        explain one seed, frame N or the first that differs
             bin/explore FILE... [--frame N]            the same for the experiments of packet scenario files,
                                                       or the rows of option tables (conformance/options)
      Exit status: 0 all equal, 1 something differs, 2 the kernel cannot be asked or wrong usage.\
      """;

  /** Most of a scenario's time is the waiting for tools that set its namespace up. */
  private static final int AT_ONCE = 12;

  private Explore() {}

  /** Runs. */
  public static void main(String[] arguments) throws IOException {
    Map<String, String> options = new HashMap<>();
    String count = null;
    List<Path> files = new ArrayList<>();
    for (int i = 0; i < arguments.length; i++) {
      if (arguments[i].matches("--(from|keep|seed|frame|rules)") && i + 1 < arguments.length) {
        options.put(arguments[i].substring(2), arguments[++i]);
      } else if (arguments[i].matches("\\d{1,9}") && count == null) {
        count = arguments[i];
      } else if (Files.isReadable(Path.of(arguments[i]))) {
        files.add(Path.of(arguments[i]));
      } else {
        fail(USAGE);
      }
    }
    int modes =
        (count == null ? 0 : 1) + (options.containsKey("seed") ? 1 : 0) + (files.isEmpty() ? 0 : 1);
    if (modes != 1) {
      fail(USAGE);
    }
    String unavailable = KernelMachine.unavailable();
    if (unavailable != null) {
      fail("skbwalk: the kernel cannot be asked: " + unavailable);
    }
    try {
      boolean equal;
      if (count != null) {
        equal = explore(Long.parseLong(count), options);
      } else if (files.isEmpty()) {
        Scenario scenario = RandomScenario.of(Long.parseLong(options.get("seed")), rules(options));
        equal = explain(scenario, options.get("frame"));
      } else {
        equal = experiments(files, options.get("frame"));
      }
      System.exit(equal ? 0 : 1);
    } catch (NumberFormatException e) {
      fail(USAGE);
    } catch (SourceException e) {
      fail("skbwalk: " + e.getMessage());
    }
  }

  private static void fail(String message) {
    System.err.println(message);
    System.exit(2);
  }

  private static boolean experiments(List<Path> files, String frame) throws IOException {
    int count = 0;
    int failed = 0;
    for (Path file : files) {
      if (OptionTable.looksLikeOne(Files.readString(file))) {
        OptionTable table = OptionTable.read(file);
        count += table.rows().size() + table.refused().size() + table.printed().size();
        failed += failures(table);
        continue;
      }
      for (Scenario scenario : ScenarioText.read(file)) {
        count++;
        if (frame != null || !Compared.of(scenario).differences().isEmpty()) {
          System.out.println("== " + file + ": " + scenario.name());
          failed += explain(scenario, frame) ? 0 : 1;
        }
      }
    }
    System.out.println(count + " tried: " + (failed == 0 ? "all equal" : failed + " differ"));
    return failed == 0;
  }

  /** How many rows of {@code table} are not as they should be; tells of each. */
  private static int failures(OptionTable table) throws IOException {
    int failed = 0;
    RowRuns runs = new RowRuns(table.rows());
    for (OptionRow row : table.rows()) {
      List<Difference> problems = runs.problems(row);
      if (!problems.isEmpty()) {
        failed++;
        System.out.println("== " + row.at() + ": " + row.scenario().name());
        problems.forEach(problem -> System.out.println(problem.text()));
        System.out.println("\n" + row.scenario().rules());
        System.out.println(Explanation.of(row.scenario(), problems.get(0).frame()));
      }
    }
    for (TypedRule rule : table.refused()) {
      failed += tell(rule, rule.notRefused());
    }
    for (TypedRule rule : table.printed()) {
      failed += tell(rule, rule.notPrintedAlike());
    }
    return failed;
  }

  private static int tell(TypedRule rule, String problem) {
    if (problem != null) {
      System.out.println("== " + rule.at() + ": " + rule.rule() + "\n" + problem + "\n");
    }
    return problem == null ? 0 : 1;
  }

  private static boolean explain(Scenario scenario, String frame) throws IOException {
    List<Difference> differences = Compared.of(scenario).differences();
    differences.forEach(difference -> System.out.println(difference.text()));
    int index =
        frame != null
            ? Integer.parseInt(frame) - 1
            : differences.isEmpty() ? scenario.steps().size() - 1 : differences.get(0).frame();
    System.out.println();
    System.out.println(scenario.rules());
    System.out.print(Explanation.of(scenario, index));
    return differences.isEmpty();
  }

  /** The rules that were given, or null for random ones. */
  private static String rules(Map<String, String> options) throws IOException {
    return options.containsKey("rules") ? Files.readString(Path.of(options.get("rules"))) : null;
  }

  private static boolean explore(long count, Map<String, String> options) throws IOException {
    long first =
        options.containsKey("from")
            ? Long.parseLong(options.get("from"))
            : System.nanoTime() >>> 10 & 0xFFFFFFFFL;
    Path keep = Path.of(options.getOrDefault("keep", "target/found"));
    String rules = rules(options);
    System.out.println("seeds " + first + " to " + (first + count - 1));
    Map<String, List<Long>> kinds = new HashMap<>();
    long frames = 0;
    int failed = 0;
    List<Future<Explored>> all = new ArrayList<>();
    ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE);
    for (long seed = first; seed < first + count; seed++) {
      long one = seed;
      all.add(threads.submit(() -> Explored.of(RandomScenario.of(one, rules), one)));
    }
    threads.shutdown();
    for (int i = 0; i < all.size(); i++) {
      Explored explored = result(all.set(i, null));
      frames += explored.frames;
      String text = explored.difference;
      if (text != null) {
        failed++;
        kinds.computeIfAbsent(kind(text), key -> new ArrayList<>()).add(explored.seed);
        System.out.println("seed " + explored.seed + ": " + text);
        Files.createDirectories(keep);
        Files.writeString(
            keep.resolve("seed-" + explored.seed + ".yaml"),
            ScenarioText.write(RandomScenario.of(explored.seed, rules), text));
      }
      if ((i + 1) % 500 == 0) {
        System.out.println(i + 1 + " scenarios, " + failed + " differ");
      }
    }
    System.out.println();
    kinds.entrySet().stream()
        .sorted((a, b) -> b.getValue().size() - a.getValue().size())
        .forEach(
            kind ->
                System.out.println(
                    kind.getValue().size()
                        + " x "
                        + kind.getKey()
                        + "\n    seeds "
                        + kind.getValue()));
    System.out.printf(
        Locale.ROOT,
        "%d scenarios, %d frames: %s%n",
        count,
        frames,
        failed == 0 ? "all equal to the kernel" : failed + " differ, kept in " + keep);
    return failed == 0;
  }

  /** One scenario that both sides have run; {@code difference} is null when they are equal. */
  private record Explored(long seed, int frames, String difference) {
    static Explored of(Scenario scenario, long seed) throws IOException {
      List<Difference> differences = Compared.of(scenario).differences();
      String first = differences.isEmpty() ? null : differences.get(0).text();
      return new Explored(seed, scenario.steps().size(), first);
    }
  }

  private static Explored result(Future<Explored> future) throws IOException {
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      throw new IOException(e.getCause());
    }
  }

  /** A difference without its numbers, to count those of one kind together. */
  private static String kind(String difference) {
    return difference
        .replaceFirst("frame \\d+ ", "")
        .replaceAll("0x[0-9a-f]+", "N")
        .replaceAll("[0-9a-f]{20,}", "FRAME")
        .replaceAll("\\d+", "N")
        .replaceAll("\\n *", " | ");
  }
}
