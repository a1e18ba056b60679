// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.netfilter.tables.Extensions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The README names all matches and targets; {@code -Dskbwalk.refresh=true} writes them into it. */
class ReadmeTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path README = ROOT.resolve("README.md");

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
}
