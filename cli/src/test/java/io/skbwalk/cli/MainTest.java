// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

class MainTest {
  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "--version    , 0, skbwalk ",
        "--help       , 0, Usage: skbwalk",
        "\"\"         , 2, skbwalk: a command is missing",
        "--no-such    , 2, skbwalk: Unknown option: '--no-such'",
        "no-such      , 2, skbwalk: Unmatched argument at index 0: 'no-such'",
      })
  void answersOnOneStreamWithTheRightStatus(String arguments, int status, String start) {
    CommandLine line = Main.commandLine("");
    StringWriter said = new StringWriter();
    line.setOut(new PrintWriter(said, true)).setErr(new PrintWriter(said, true));
    int got = line.execute(arguments.isEmpty() ? new String[0] : arguments.split(" "));
    assertEquals(status, got, said::toString);
    assertTrue(said.toString().startsWith(start), said::toString);
  }

  static Stream<Arguments> whatACommandThrows() {
    return Stream.of(
        Arguments.of(
            new SourceException(new SourcePosition("rules.yaml", 3, 7), "no chain INPUTT"),
            2,
            "skbwalk: rules.yaml:3:7: no chain INPUTT\n"),
        Arguments.of(
            new NoSuchFileException("absent.pcap"), 2, "skbwalk: absent.pcap: no such file\n"),
        Arguments.of(
            new AccessDeniedException("secret.pcap"),
            2,
            "skbwalk: secret.pcap: permission denied\n"),
        Arguments.of(new IOException("No space left"), 2, "skbwalk: No space left\n"),
        Arguments.of(
            new IllegalStateException("a ring without slots"),
            3,
            "java.lang.IllegalStateException: a ring without slots\n"));
  }

  @ParameterizedTest
  @MethodSource("whatACommandThrows")
  void tellsWhatTheUserCanMendInOneLine(Exception thrown, int status, String start) {
    Callable<Integer> failing =
        () -> {
          throw thrown;
        };
    CommandLine line =
        Main.commandLine("").addSubcommand("fail", CommandSpec.wrapWithoutInspection(failing));
    StringWriter said = new StringWriter();
    line.setErr(new PrintWriter(said, true));
    assertEquals(status, line.execute("fail"), said::toString);
    if (status == 2) {
      assertEquals(start, said.toString());
    } else {
      assertTrue(said.toString().startsWith(start), said::toString);
    }
  }
}
