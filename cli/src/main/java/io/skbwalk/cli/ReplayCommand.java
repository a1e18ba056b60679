// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.capture.Truncation;
import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.OutputFolder;
import io.skbwalk.replay.OutputFolder.Content;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayReport;
import io.skbwalk.replay.WalkLines;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk replay}. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Pushes captures through a Linux machine, frame by frame, and says what became of each.",
      "Time is the capture's; the same input gives the same output, byte for byte."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk replay pcaps/http.pcap",
      "  skbwalk replay pcaps/http.pcap --as 203.0.113.80 \\",
      "      --rules rules/web-server.yaml --out result",
      "  skbwalk replay --in eth0=outside.pcap --in eth1=inside.pcap \\",
      "      --host config/router.yaml",
      "  zcat day.pcap.gz | skbwalk replay - --host config/router.yaml \\",
      "      --save report,counters --out day"
    })
final class ReplayCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private MachineOptions machine;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description =
          "Write report.json, packets.jsonl, counters.v4, conntrack.txt, events.txt, sockets.txt,"
              + " tx-IFACE.pcapng and dropped.pcapng there.")
  private Path out;

  @Option(
      names = "--save",
      split = ",",
      paramLabel = "NAME",
      description =
          "Of these only: report, packets, counters, conntrack, events, sockets, tx, dropped.")
  private List<String> save;

  @Option(
      names = "--trace",
      paramLabel = "FILE|-",
      description =
          "Write the walk of every packet as JSON lines; with a TRACE rule, of those it matches.")
  private String trace;

  @Option(names = "--json", description = "Print the report as JSON instead of the summary.")
  private boolean json;

  @Option(names = "--quiet", description = "Print neither summary nor progress.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    Set<Content> contents = contents();
    if (json && "-".equals(trace)) {
      throw new Unusable("--json and --trace - both print to standard output; give --trace a file");
    }
    Terminal terminal = Terminal.current();
    PrintWriter stdout = spec.commandLine().getOut();
    PrintWriter stderr = spec.commandLine().getErr();
    long began = System.nanoTime();
    try (Session session = new Session(machine, false)) {
      WalkLines walks = trace == null ? null : WalkLines.to(trace, stdout, session.tracesSome());
      Replay replay = session.prepare(walks == null ? null : new AllWalks());
      OutputFolder folder = out == null ? null : new OutputFolder(out, contents);
      ReplayReport report;
      try {
        if (walks != null) {
          replay.keepDepartures();
          replay.add(walks);
        }
        if (folder != null) {
          folder.listen(session.host, replay);
        }
        Progress progress = Progress.of(session, terminal, quiet || json);
        try {
          session.run();
        } finally {
          progress.close();
        }
        replay.finish();
        report = new ReplayReport(session.host, replay.totals);
        if (folder != null) {
          folder.complete(session.host, report);
        }
        if (walks != null) {
          walks.complete();
        }
      } finally {
        if (folder != null) {
          folder.close();
        }
        if (walks != null) {
          walks.close();
        }
      }
      if (session.choice != null && !quiet) {
        stderr.println("skbwalk: the machine is " + session.choice);
      }
      if (json) {
        stdout.print(report.json());
      } else if (!quiet && !"-".equals(trace)) {
        stdout.print(
            new Summary(terminal, report).print(session.inputInWords(), session.machineInWords()));
        if (terminal.interactive()) {
          double seconds = (System.nanoTime() - began) / 1e9;
          stdout.printf(
              "%n%s frames a second%n", Summary.number((long) (replay.totals.frames / seconds)));
        }
      }
      stdout.flush();
      return warn(session, stderr);
    }
  }

  /** Says what was odd about the captures; 2 when one of them breaks off. */
  private static int warn(Session session, PrintWriter stderr) {
    if (session.replay.totals.shortened > 0) {
      stderr.println(
          "skbwalk: "
              + session.inputInWords()
              + ": "
              + session.replay.totals.shortened
              + " frames were captured only in part (snapshot length); the machine saw that part");
    }
    for (Truncation truncation : session.replay.totals.truncations) {
      stderr.println("skbwalk: " + truncation + "; everything before it was replayed");
    }
    return session.replay.totals.truncations.isEmpty() ? 0 : 2;
  }

  private Set<Content> contents() {
    if (save == null) {
      return EnumSet.allOf(Content.class);
    }
    if (out == null) {
      throw new Unusable("--save says which files; say where with --out DIR");
    }
    Set<Content> chosen = EnumSet.noneOf(Content.class);
    for (String name : save) {
      String wanted = name.strip();
      Content content =
          Stream.of(Content.values())
              .filter(one -> one.label.equals(wanted))
              .findAny()
              .orElseThrow(() -> new Unusable("--save " + wanted + ": " + suggestion(wanted)));
      chosen.add(content);
    }
    return chosen;
  }

  private static String suggestion(String wanted) {
    String names =
        Stream.of(Content.values()).map(one -> one.label).collect(Collectors.joining(", "));
    String best = Suggestion.nearest(wanted, Stream.of(Content.values()).map(one -> one.label));
    return best == null
        ? "there is no such file; files are " + names
        : "did you mean " + best + "? Files are " + names;
  }

  private static final class AllWalks implements Replay.Walks {
    @Override
    public boolean wanted(FrameRecord record) {
      return true;
    }

    @Override
    public boolean misses() {
      return false;
    }
  }
}
