// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

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
    CommandLine line = Main.commandLine();
    StringWriter said = new StringWriter();
    line.setOut(new PrintWriter(said, true)).setErr(new PrintWriter(said, true));
    int got = line.execute(arguments.isEmpty() ? new String[0] : arguments.split(" "));
    assertEquals(status, got, said::toString);
    assertTrue(said.toString().startsWith(start), said::toString);
  }
}
