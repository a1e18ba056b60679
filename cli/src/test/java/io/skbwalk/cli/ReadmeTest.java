// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.netfilter.tables.Extensions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the README and the guide to rules show is what the program prints. After a change that is
 * meant, {@code ./mvnw -pl cli -am test -Dtest=ReadmeTest -Dskbwalk.refresh=true} writes the new
 * output into it.
 */
class ReadmeTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path README = ROOT.resolve("README.md");

  /** A block of commands, then a block of what the first one prints. */
  private static final Pattern SHOWN =
      Pattern.compile(
          "```sh\n(bin/skbwalk [^\n]+)\n[^`]*```\n(?:(?!```)[\\s\\S])*?```\n([\\s\\S]*?)\n```\n");

  @ParameterizedTest
  @CsvSource({"README.md, 2", "docs/rules.md, 1", "docs/experiments.md, 1", "docs/diff.md, 1"})
  void shownOutputIsRealOutput(String file, int atLeast) throws IOException {
    String text = Files.readString(ROOT.resolve(file));
    StringBuilder fresh = new StringBuilder();
    int end = 0;
    int shown = 0;
    for (Matcher block = SHOWN.matcher(text); block.find(); shown++) {
      fresh.append(text, end, block.start(2)).append(printed(words(block.group(1))));
      end = block.end(2);
    }
    fresh.append(text.substring(end));
    assertTrue(shown >= atLeast, "the README shows a replay and a walk, the guide a conversion");
    if (Boolean.getBoolean("skbwalk.refresh")) {
      Files.writeString(ROOT.resolve(file), fresh);
    } else {
      assertEquals(fresh.toString(), text);
    }
  }

  @Test
  void supportedMatchesAndTargetsAreTheExtensions() throws IOException {
    String text = Files.readString(README);
    String matches = String.join(", ", Extensions.matchNames());
    // LED is refused, as by a kernel without it.
    List<String> names = Extensions.targetNames().stream().filter(n -> !n.equals("LED")).toList();
    String targets = String.join(", ", names);
    String fresh =
        supported(
            supported(
                text,
                "matches",
                matches + ", and the basic ones ([each option](docs/extensions.md))"),
            "targets",
            "ACCEPT, DROP, QUEUE, RETURN, " + targets);
    if (Boolean.getBoolean("skbwalk.refresh")) {
      Files.writeString(README, fresh);
    } else {
      assertEquals(fresh, text);
    }
  }

  /** {@code text} with another first cell in the row {@code name} of what is there. */
  private static String supported(String text, String name, String cell) {
    Pattern row = Pattern.compile("(?m)^(\\| " + name + " \\|) [^|]+ \\|");
    assertTrue(row.matcher(text).find(), name);
    return row.matcher(text).replaceFirst("$1 " + Matcher.quoteReplacement(cell) + " |");
  }

  @Test
  void everyNamedFileIsThere() throws IOException {
    Matcher link = Pattern.compile("\\]\\(([^)#]+)\\)").matcher(Files.readString(README));
    while (link.find()) {
      assertTrue(Files.exists(ROOT.resolve(link.group(1))), link.group(1));
    }
  }

  /** What the program prints when a newcomer runs it from the project's root. */
  private static String printed(List<String> words) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-cp");
    command.add(
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
    command.add("io.skbwalk.cli.Main");
    command.addAll(words.subList(1, words.size()));
    ProcessBuilder builder = new ProcessBuilder(command).directory(ROOT.toFile());
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().remove("COLUMNS");
    Process process = builder.start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      // diff says with 1 that there is a difference.
      int most = words.get(1).equals("diff") ? 1 : 0;
      assertTrue(process.waitFor() <= most, String.join(" ", words));
    } catch (InterruptedException e) {
      throw new IOException(e);
    }
    return out.lines().map(String::stripTrailing).collect(Collectors.joining("\n"));
  }

  /** The words of a command as a shell splits them. */
  private static List<String> words(String command) {
    List<String> words = new ArrayList<>();
    Matcher word = Pattern.compile("'([^']*)'|(\\S+)").matcher(command);
    while (word.find()) {
      words.add(word.group(1) != null ? word.group(1) : word.group(2));
    }
    return words;
  }
}
