// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** From Enter to the first byte of an answer, the start of the JVM included. */
final class StartFigure {
  private static final int TRIES = 11;

  private StartFigure() {}

  static Table measure(Setting setting) throws IOException {
    Table table = new Table("From Enter to the first byte printed, ms");
    List<String[]> rows = new ArrayList<>();
    rows.add(new String[] {"skbwalk ...", "median", "best"});
    String[] walks = {
      "walk pcaps/http.pcap --packet 4",
      "walk pcaps/portscan.pcap --packet 7 --host config/web.yaml --rules rules/web-server.yaml",
      "walk pcaps/nat-router.pcapng --packet 1 --host config/router.yaml"
          + " --rules rules/nat-router.yaml",
    };
    double worst = 0;
    for (String walk : walks) {
      worst = Math.max(worst, row(setting, rows, walk));
    }
    row(setting, rows, "--version");
    row(setting, rows, "replay pcaps/http.pcap");
    table.table(rows);
    table.atMost("walk of one packet", 400, worst, "ms");
    return table;
  }

  /** Returns the median, in milliseconds. */
  private static double row(Setting setting, List<String[]> rows, String arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(setting.skbwalk()));
    for (String word : arguments.split(" ")) {
      boolean isFile = word.matches("(pcaps|config|rules)/.*");
      command.add(isFile ? setting.root().resolve(word).toString() : word);
    }
    long[] nanos = new long[setting.small() ? 1 : TRIES];
    Child.nanosToFirstByte(command);
    for (int i = 0; i < nanos.length; i++) {
      nanos[i] = Child.nanosToFirstByte(command);
      System.err.printf("%-100s %6.0f ms%n", arguments, nanos[i] / 1e6);
    }
    Arrays.sort(nanos);
    double median = nanos[nanos.length / 2] / 1e6;
    rows.add(new String[] {arguments, Table.number(median), Table.number(nanos[0] / 1e6)});
    return median;
  }
}
