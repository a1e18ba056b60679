// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Child processes; they run in the network namespace of the thread that starts them. */
final class Commands {
  private Commands() {}

  /** Runs a command and returns what it printed; an exit status other than 0 is an exception. */
  static String run(String... command) throws IOException {
    return runWith("", command);
  }

  /** Runs a command with {@code input} on its standard input. */
  static String runWith(String input, String... command) throws IOException {
    Path errors = Files.createTempFile("skbwalk", ".err");
    try {
      Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
      try (OutputStream to = process.getOutputStream()) {
        to.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // It ended without reading all; its exit status says why.
      }
      String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException(
            String.join(" ", command)
                + " (exit "
                + status
                + "): "
                + Files.readString(errors).strip());
      }
      return output;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      Files.deleteIfExists(errors);
    }
  }

  /** Is there a command of that name on the path? */
  static boolean exists(String name) {
    for (String folder :
        "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin".split(":")) {
      if (Files.isExecutable(Path.of(folder, name))) {
        return true;
      }
    }
    return false;
  }
}
