// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.language.HostFile;
import io.skbwalk.lib.SourceException;
import io.skbwalk.snapshot.Omission;
import io.skbwalk.snapshot.Snapshot;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk snapshot}. */
@Command(
    name = "snapshot",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Writes this machine as a host file and a rule file, which replay and walk take: what ip,"
          + " sysctl, ss, iptables-save and ipset save say of it.",
      "It changes nothing on the machine. Rules, sets and a few sysctls are shown to root only.",
      "What cannot be expressed is said, with the reason, and stands at the top of the host file."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk snapshot -o me",
      "  skbwalk snapshot --from saved -o gateway    # docs/snapshot.md has what saves it",
      "  skbwalk walk --host gateway/host.yaml --rules gateway/rules.v4 \\",
      "      --send 'eth0 tcp 198.51.100.9:40000 > 203.0.113.1:22 S'"
    })
final class SnapshotCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = {"-o", "--out"},
      paramLabel = "DIR",
      required = true,
      description = "The folder for host.yaml and rules.v4.")
  private Path out;

  @Option(
      names = "--from",
      paramLabel = "DIR",
      description =
          "Instead of this machine: outputs that were saved, on another machine or before.")
  private String from;

  @Option(
      names = "--netns",
      paramLabel = "NAME",
      description =
          "This network namespace (ip netns), not the one this program is in; needs root.")
  private String netns;

  @Option(names = "--quiet", description = "No remarks; they stand in host.yaml all the same.")
  private boolean quiet;

  @Override
  public Integer call() throws IOException {
    if (from != null && netns != null) {
      throw new Unusable("--from and --netns both say which machine; give one of them");
    }
    SavedMachine machine = from == null ? SavedMachine.running(netns) : SavedMachine.in(from);
    Snapshot snapshot;
    try {
      snapshot = Snapshot.of(machine.texts).without(machine.missing);
    } catch (SourceException e) {
      throw from == null ? e : new Unusable(Path.of(from) + "/" + e.getMessage());
    }
    String host = snapshot.hostFile();
    HostFile.parse("host.yaml", host);
    Files.createDirectories(out);
    write("host.yaml", host);
    write("rules.v4", snapshot.rules());
    if (!quiet) {
      say(snapshot);
    }
    return 0;
  }

  private void write(String name, String text) throws IOException {
    Path part = out.resolve("." + name + ".part");
    Files.writeString(part, text);
    Files.move(part, out.resolve(name), StandardCopyOption.REPLACE_EXISTING);
  }

  private void say(Snapshot snapshot) {
    PrintWriter err = spec.commandLine().getErr();
    for (Omission omission : snapshot.omissions()) {
      err.println("skbwalk: " + omission);
    }
    err.println(
        "skbwalk: "
            + snapshot.host().hostname()
            + " written to "
            + out.resolve("host.yaml")
            + " and "
            + out.resolve("rules.v4")
            + (snapshot.omissions().isEmpty() ? "" : "; what it lacks is above"));
  }
}
