// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.lib.Ip4;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * {@code conntrack -E} beside scenarios. That it listens is seen in the kernel's list of netlink
 * sockets; before and behind a scenario entries of its own are marks, between which all is read.
 */
final class ConntrackEvents implements AutoCloseable {
  /** From the block for documentation that no scenario uses (RFC 5737, TEST-NET-2's last /30). */
  private static final int MARK = Ip4.parse("198.51.100.253");

  private static final String MARK_SOURCE = " src=" + Ip4.format(MARK) + " ";

  /** The netlink family of netfilter, as /proc/net/netlink numbers it. */
  private static final String NETFILTER = "12";

  private final Ctnetlink ctnetlink;
  private final Process process;
  private final BufferedReader lines;

  private int marks;

  /** Starts listening in the calling thread's namespace; returns when it surely does. */
  ConntrackEvents(Ctnetlink ctnetlink) throws IOException {
    this.ctnetlink = ctnetlink;
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

  /** Leaves out all that happened until now; the connection table is empty afterwards. */
  void begin() throws IOException {
    upToMark();
    ctnetlink.flush();
  }

  /** All events since the beginning, as printed. */
  List<String> finish() throws IOException {
    return upToMark();
  }

  private List<String> upToMark() throws IOException {
    int mark = ++marks;
    ctnetlink.add(MARK, mark);
    List<String> events = new ArrayList<>();
    for (String line; (line = lines.readLine()) != null; ) {
      if (!line.contains(MARK_SOURCE)) {
        events.add(line.strip());
      } else if (line.contains("[NEW]") && line.contains(" sport=" + mark + " dport=1 ")) {
        return events;
      }
    }
    throw new IOException("conntrack -E ended");
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
