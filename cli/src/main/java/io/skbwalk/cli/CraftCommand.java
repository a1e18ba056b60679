// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.replay.Replay;
import io.skbwalk.replay.ScenarioCapture;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk craft}. */
@Command(
    name = "craft",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Writes the packets of a scenario (docs/scenarios.md) as a capture, each frame on its"
          + " interface, with its comment and its time to the nanosecond, from 2026-01-01 00:00:00"
          + " UTC on.",
      "Numbers that only the machine can know (ack: isn+1) are what the scenario's machine chooses"
          + " under the scenario's rules."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk craft conformance/cases/synproxy.yaml --out synproxy.pcapng",
      "  skbwalk craft conformance/cases/ip-options.yaml -o ip-options.pcap",
      "  skbwalk craft conformance/cases/reassembly.yaml | skbwalk replay - --host config/router.yaml"
    })
final class CraftCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "SCENARIO.yaml", description = "The packets; - is standard input.")
  private String scenario;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE|-",
      defaultValue = "-",
      description =
          "The capture: pcapng, or pcap when FILE ends in .pcap, which knows neither interfaces nor"
              + " comments. Without it, or with -: pcapng on standard output.")
  private String out;

  @Option(
      names = "--host",
      paramLabel = "HOST.yaml",
      description = "The machine, instead of the one that the scenario names.")
  private String host;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of everything random. Default: ${DEFAULT-VALUE}")
  private long seed;

  @Option(names = "--quiet", description = "No remarks.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    boolean stdout = out.equals("-");
    if (stdout && Terminal.current().interactive()) {
      throw new Unusable("a capture is nothing for a terminal; give --out FILE, or pipe it on");
    }
    if (out.endsWith(".gz") || out.endsWith(".zst")) {
      throw new Unusable("--out " + out + ": captures are written uncompressed; drop the ending");
    }
    MachineOptions options = new MachineOptions();
    options.capture = scenario;
    options.host = host;
    options.seed = seed;
    try (Session session = Session.ofScenario(options)) {
      Replay replay = session.prepare(null);
      ScenarioCapture capture =
          stdout
              ? ScenarioCapture.to(Channels.newChannel(System.out), replay, session.scenario())
              : ScenarioCapture.to(Path.of(out), replay, session.scenario());
      try {
        session.run();
        replay.finish();
        capture.complete();
      } finally {
        capture.abort();
      }
      if (!quiet && !stdout) {
        String frames = Summary.number(capture.frames());
        spec.commandLine()
            .getErr()
            .println(
                "skbwalk: "
                    + frames
                    + (capture.frames() == 1 ? " frame" : " frames")
                    + " written to "
                    + out);
      }
    }
    return 0;
  }
}
