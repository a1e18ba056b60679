// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the documents show is what the program prints: every command in a {@code ```console} block
 * is run by {@code bin/transcript}, in order, in a fresh copy of the project's example files. After
 * a change that is meant, {@code ./mvnw -pl cli -am test -Dtest=DocumentsTest
 * -Dskbwalk.refresh=true -Dsurefire.failIfNoSpecifiedTests=false} writes the new output into them.
 */
class DocumentsTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  @TempDir private Path copy;

  static List<Path> documents() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT.resolve("docs"))) {
      return Stream.concat(
              Stream.of("README.md", "config/README.md", "pcaps/README.md", "rules/README.md")
                  .map(ROOT::resolve),
              files.filter(file -> file.toString().endsWith(".md")).sorted())
          .map(ROOT::relativize)
          .toList();
    }
  }

  static List<Path> documentsWithCommands() throws IOException {
    List<Path> documents = new ArrayList<>();
    for (Path document : documents()) {
      if (Files.readString(ROOT.resolve(document)).contains("```console\n")) {
        documents.add(document);
      }
    }
    return documents;
  }

  /** The files that the documents name, and a launcher of the classes under test. */
  private void copyExamples() throws IOException {
    ProjectCopy.into(copy, "config", "docs", "pcaps", "rules");
  }

  @ParameterizedTest
  @MethodSource("documentsWithCommands")
  void shownOutputIsRealOutput(Path document) throws Exception {
    copyExamples();
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/tshark"))
            || !Files.readString(ROOT.resolve(document)).contains("\n$ tshark "),
        () -> "no tshark here (Debian's tshark): what " + document + " shows of it is not checked");
    Path transcript = copy.resolve("transcript");
    ProcessBuilder builder =
        new ProcessBuilder(
            "sh", ROOT.resolve("bin/transcript").toString(), ROOT.resolve(document).toString());
    builder.directory(copy.toFile()).redirectOutput(transcript.toFile());
    builder.environment().remove("COLUMNS");
    Process process = builder.start();
    String wrong = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), wrong);
    String fresh = Files.readString(transcript);
    if (Boolean.getBoolean("skbwalk.refresh")) {
      Files.writeString(ROOT.resolve(document), fresh);
    } else {
      assertEquals(fresh, Files.readString(ROOT.resolve(document)));
    }
  }

  @Test
  void theIndexNamesEveryPage() throws IOException {
    Path index = Path.of("docs/README.md");
    String text = Files.readString(ROOT.resolve(index));
    for (Path document : documents()) {
      if (document.startsWith("docs") && !document.equals(index)) {
        String name = index.getParent().relativize(document).toString();
        assertTrue(text.contains("(" + name + ")"), name + " is not in " + index);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("documents")
  void everyLinkedFileIsThere(Path document) throws IOException {
    Path place = ROOT.resolve(document);
    Matcher link = Pattern.compile("\\]\\(([^)#:]+)(#[^)]*)?\\)").matcher(Files.readString(place));
    while (link.find()) {
      assertTrue(Files.exists(place.resolveSibling(link.group(1))), link.group(1));
    }
  }
}
