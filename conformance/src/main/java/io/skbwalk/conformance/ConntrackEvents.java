// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code conntrack -E} beside a scenario. Instead of waiting, it makes entries of its own as marks
 * and reads until they are printed.
 */
final class ConntrackEvents implements AutoCloseable {
  /** From the block for documentation that no scenario uses (RFC 5737, TEST-NET-2's last /30). */
  private static final String MARK_SOURCE = "198.51.100.253";

  private final Process process;
  private final BufferedReader lines;

  /** Starts listening in the calling thread's namespace; returns when it surely does. */
  ConntrackEvents() throws IOException {
    process =
        new ProcessBuilder("conntrack", "-E")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    lines = process.inputReader();
    // The first mark may come before it listens: repeat until one is heard.
    do {
      mark(1);
      unmark(1);
    } while (!lines.ready());
    mark(2);
    readUntil("dport=2 ");
    unmark(2);
    readUntil("[DESTROY]", "dport=2 ");
  }

  /** All events since the constructor, as printed. */
  List<String> finish() throws IOException {
    mark(3);
    List<String> events = readUntil("dport=3 ");
    unmark(3);
    return events;
  }

  private static void mark(int port) throws IOException {
    Commands.run(
        "conntrack",
        "-I",
        "-p",
        "udp",
        "-s",
        MARK_SOURCE,
        "-d",
        MARK_SOURCE,
        "--sport",
        "1",
        "--dport",
        Integer.toString(port),
        "-t",
        "100");
  }

  private static void unmark(int port) throws IOException {
    Commands.run(
        "conntrack", "-D", "-p", "udp", "-s", MARK_SOURCE, "--dport", Integer.toString(port));
  }

  private List<String> readUntil(String... words) throws IOException {
    List<String> events = new ArrayList<>();
    for (String line; (line = lines.readLine()) != null; ) {
      String all = line;
      if (line.contains(MARK_SOURCE)) {
        if (List.of(words).stream().allMatch(all::contains)) {
          break;
        }
      } else {
        events.add(line.strip());
      }
    }
    return events;
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    lines.close();
  }
}
