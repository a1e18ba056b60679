// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.diff.Comparison;
import io.skbwalk.diff.DiffReport;
import io.skbwalk.replay.Replay;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk diff}. */
@Command(
    name = "diff",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Replays the same captures through an old machine and a new one, and tells which packets,"
          + " connections and bytes would get another fate, other addresses, another interface or"
          + " mark, by the pair of rules responsible, most packets first.",
      "The old machine has --rules, --host and --ipset; the new one what --against... puts in their"
          + " place. Exit status 0: nothing changes; 1: something does. All frames are replayed;"
          + " --filter chooses those that are compared."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk diff pcaps/portscan.pcap --host config/web.yaml \\",
      "      --rules rules/web-server.yaml --against rules/ufw.v4",
      "  skbwalk diff pcaps/nat-router.pcapng --host config/router.yaml \\",
      "      --rules rules/nat-router.yaml --against rules/lab.yaml --json",
      "  skbwalk diff pcaps/http.pcap --host config/web.yaml --rules rules/web-server.yaml \\",
      "      --against rules/ufw.v4 --quiet || echo 'somebody would notice'"
    })
final class DiffCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;
  @Mixin private MachineOptions machine;

  @Option(
      names = "--against",
      paramLabel = "RULES",
      description =
          "The rules of the new machine, instead of those of --rules (or of the scenario)."
              + " Repeatable; later files add to earlier ones.")
  private List<String> against = new ArrayList<>();

  @Option(
      names = "--against-host",
      paramLabel = "HOST.yaml",
      description = "The new machine, instead of that of --host.")
  private String againstHost;

  @Option(
      names = "--against-ipset",
      paramLabel = "FILE",
      description = "The sets of the new machine, instead of those of --ipset. Repeatable.")
  private List<String> againstIpset = new ArrayList<>();

  @Option(names = "--json", description = "Print JSON instead of text (docs/diff.schema.json).")
  private boolean json;

  @Option(names = "--quiet", description = "Print nothing; the exit status tells.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    if (against.isEmpty() && againstHost == null && againstIpset.isEmpty()) {
      throw new Unusable(
          "what is to be compared? Give the new rules with --against RULES, or the new machine with"
              + " --against-host HOST.yaml");
    }
    Terminal terminal = Terminal.current();
    PrintWriter stdout = spec.commandLine().getOut();
    PrintWriter stderr = spec.commandLine().getErr();
    try (Session session = new Session(machine, false)) {
      Replay old = session.prepareToTell(null);
      Replay now = session.prepareBeside(against, againstHost, againstIpset);
      Comparison comparison = new Comparison(old, now);
      Progress progress = Progress.of(session, terminal, quiet || json);
      try {
        session.run();
      } finally {
        progress.close();
      }
      old.finish();
      now.finish();
      comparison.finish();
      if (session.choice != null && !quiet) {
        stderr.println("skbwalk: the machine is " + session.choice);
      }
      if (json && !quiet) {
        stdout.print(new DiffReport(comparison).json());
      } else if (!quiet) {
        stdout.print(new DiffPage(terminal, comparison).print(session, machine, newSide()));
      }
      stdout.flush();
      int broken = Outputs.warn(session, stderr, quiet);
      return broken != 0 ? broken : comparison.changedPackets() == 0 ? 0 : 1;
    }
  }

  /** The options that make the new machine, as {@code walk} takes them. */
  private List<String> newSide() {
    List<String> words = new ArrayList<>();
    DiffPage.option(words, "--host", againstHost != null ? againstHost : machine.host);
    if (againstHost == null) {
      machine.as.forEach(one -> DiffPage.option(words, "--as", one));
    }
    for (String file : against.isEmpty() ? machine.rules : against) {
      DiffPage.option(words, "--rules", file);
    }
    for (String file : againstIpset.isEmpty() ? machine.ipsets : againstIpset) {
      DiffPage.option(words, "--ipset", file);
    }
    return words;
  }
}
