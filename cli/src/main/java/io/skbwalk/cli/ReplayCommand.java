// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.replay.FrameRecord;
import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ReplayReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
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

  @Mixin private OutputOptions options;

  @Override
  public Integer call() throws IOException {
    options.contents();
    options.checkStandardOutput(options.json ? "--json" : null);
    Terminal terminal = Terminal.current();
    PrintWriter stdout = spec.commandLine().getOut();
    PrintWriter stderr = spec.commandLine().getErr();
    long began = System.nanoTime();
    try (Session session = new Session(machine, false)) {
      Replay replay = session.prepare(options.trace == null ? null : new AllWalks());
      ReplayReport report;
      try (Outputs outputs = new Outputs(options, session, stdout)) {
        Progress progress = Progress.of(session, terminal, options.quiet || options.json);
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
        if (terminal.interactive()) {
          double seconds = (System.nanoTime() - began) / 1e9;
          stdout.printf(
              "%n%s frames a second%n", Summary.number((long) (replay.totals.frames / seconds)));
        }
      }
      stdout.flush();
      return Outputs.warn(session, stderr, options.quiet);
    }
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
