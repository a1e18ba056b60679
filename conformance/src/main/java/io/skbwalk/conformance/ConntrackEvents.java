// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * {@code conntrack -E} beside a scenario. That it listens is seen in the kernel's list of netlink
 * sockets; at the end an entry of its own is a mark, and all until that is printed is read.
 */
final class ConntrackEvents implements AutoCloseable {
  /** From the block for documentation that no scenario uses (RFC 5737, TEST-NET-2's last /30). */
  private static final String MARK_SOURCE = "198.51.100.253";

  /** The netlink family of netfilter, as /proc/net/netlink numbers it. */
  private static final String NETFILTER = "12";

  private final Process process;
  private final BufferedReader lines;

  /** Starts listening in the calling thread's namespace; returns when it surely does. */
  ConntrackEvents() throws IOException {
    process =
        new ProcessBuilder("conntrack", "-E")
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    lines = process.inputReader();
    Path sockets = Path.of("/proc", Long.toString(process.pid()), "net/netlink");
    while (!listens(sockets)) {
      if (!process.isAlive()) {
        throw new IOException("conntrack -E ended with status " + process.exitValue());
      }
      Thread.onSpinWait();
    }
  }

  /** Is there a netlink socket of netfilter that listens to new, changed and ended connections? */
  private static boolean listens(Path sockets) throws IOException {
    try (Stream<String> lines = Files.lines(sockets)) {
      return lines
          .map(line -> line.trim().split(" +"))
          .anyMatch(
              column -> column[1].equals(NETFILTER) && (Long.parseLong(column[3], 16) & 7) == 7);
    }
  }

  /** All events since the constructor, as printed. */
  List<String> finish() throws IOException {
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
        "1",
        "-t",
        "100");
    List<String> events = new ArrayList<>();
    for (String line; (line = lines.readLine()) != null && !line.contains(MARK_SOURCE); ) {
      events.add(line.strip());
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
