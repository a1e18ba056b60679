// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A shell that stays in the namespace in which it was started and runs one command after the other:
 * many times quicker than starting each from here.
 */
final class Shell implements AutoCloseable {
  /** Ends an input and an output; no line of either is this. */
  private static final String END = "skbwalk-end-of-text";

  private final Process process;
  private final OutputStream commands;
  private final BufferedReader output;
  private final Path errors = Files.createTempFile("skbwalk", ".err");

  /** Starts one in the calling thread's namespace. */
  Shell() throws IOException {
    process = new ProcessBuilder("sh").redirectErrorStream(true).start();
    commands = process.getOutputStream();
    output = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Runs a command and returns what it printed; an exit status other than 0 is an exception. */
  String run(String... command) throws IOException {
    return runWith("", command);
  }

  /** Runs a command with {@code input} on its standard input. */
  String runWith(String input, String... command) throws IOException {
    StringBuilder line = new StringBuilder();
    for (String word : command) {
      line.append('\'').append(word.replace("'", "'\\''")).append("' ");
    }
    line.append("2>").append(errors);
    if (input.isEmpty()) {
      line.append(" </dev/null\n");
    } else {
      line.append(" <<'").append(END).append("'\n").append(input);
      line.append(input.endsWith("\n") ? "" : "\n").append(END).append('\n');
    }
    line.append("echo ").append(END).append(" $?\n");
    commands.write(line.toString().getBytes(StandardCharsets.UTF_8));
    commands.flush();
    StringBuilder text = new StringBuilder();
    for (String one; (one = output.readLine()) != null; ) {
      if (one.startsWith(END)) {
        int status = Integer.parseInt(one.substring(END.length()).strip());
        if (status != 0) {
          throw new IOException(
              String.join(" ", command)
                  + " (exit "
                  + status
                  + "): "
                  + Files.readString(errors).strip());
        }
        return text.toString();
      }
      text.append(one).append('\n');
    }
    throw new IOException("the shell ended at " + String.join(" ", command));
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    commands.close();
    output.close();
    Files.deleteIfExists(errors);
  }
}
