// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
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
      "  skbwalk replay pcaps/portscan.pcap --host config/web.yaml \\",
      "      --rules rules/web-server.yaml --annotate scan.pcapng",
      "  skbwalk replay --in eth0=pcaps/http.pcap --in eth1=pcaps/arp.pcap \\",
      "      --host config/router.yaml",
      "  skbwalk replay pcaps/http.pcap pcaps/tls.pcapng --host config/web.yaml --out both",
      "  zcat pcaps/synflood.pcap.gz | skbwalk replay - --host config/web.yaml \\",
      "      --save report,counters --out flood"
    })
final class ReplayCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private MachineOptions machine;

  @Mixin private OutputOptions options;

  @Parameters(
      index = "1..*",
      paramLabel = "CAPTURE",
      description =
          "Each further capture goes through a machine of its own, as if it were replayed alone;"
              + " with --out its results are in DIR/CAPTURE, without the capture's folder and"
              + " endings.")
  private List<String> more = new ArrayList<>();

  @Option(
      names = "--jobs",
      paramLabel = "N",
      description =
          "How many of several captures are replayed at the same time; the results are the same."
              + " Default: one for each processor.")
  private Integer jobs;

  @Override
  public Integer call() throws IOException {
    options.contents();
    options.checkStandardOutput(options.json ? "--json" : null);
    if (jobs != null && jobs < 1) {
      throw new Unusable("--jobs " + jobs + ": how many captures at the same time, 1 or more");
    }
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    if (more.isEmpty()) {
      return replay(machine, options, out, err);
    }
    int most = jobs == null ? Runtime.getRuntime().availableProcessors() : jobs;
    return new SeveralCaptures(machine, more, options, this::replay).run(most, out, err);
  }

  /** Replays one capture, or what --in names; the exit status. */
  private int replay(
      MachineOptions machine, OutputOptions options, PrintWriter stdout, PrintWriter stderr)
      throws IOException {
    Terminal terminal = Terminal.current();
    long began = System.nanoTime();
    try (Session session = new Session(machine, false)) {
      Replay replay = session.prepare(options.trace == null ? null : new AllWalks());
      ReplayReport report;
      try (Outputs outputs = new Outputs(options, session, stdout, processors())) {
        boolean silent = options.quiet || options.json || !more.isEmpty();
        Progress progress = Progress.of(session, terminal, silent);
        try {
          session.run();
        } finally {
          progress.close();
        }
        replay.finish();
        report = outputs.complete();
      }
      if (session.choice != null && !options.quiet) {
        stderr.println("skbwalk: the machine is " + session.choice);
      }
      if (options.json) {
        stdout.print(report.json());
      } else if (!options.quiet && !options.takesStandardOutput()) {
        stdout.print(
            new Summary(terminal, report).print(session.inputInWords(), session.machineInWords()));
        if (terminal.interactive() && more.isEmpty()) {
          double seconds = (System.nanoTime() - began) / 1e9;
          stdout.printf(
              "%n%s frames a second%n", Summary.number((long) (replay.totals.frames / seconds)));
        }
      }
      stdout.flush();
      return Outputs.warn(session, stderr, options.quiet);
    }
  }

  /** Several captures have one replay for each, or more. */
  private int processors() {
    return more.isEmpty() ? Runtime.getRuntime().availableProcessors() : 1;
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
