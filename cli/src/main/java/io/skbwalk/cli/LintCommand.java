// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.lint.Captured;
import io.skbwalk.lint.Finding;
import io.skbwalk.lint.Lint;
import io.skbwalk.lint.LintLines;
import io.skbwalk.lint.LintText;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import io.skbwalk.replay.Replay;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk lint}. */
@Command(
    name = "lint",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Finds rules that can never match or change nothing, jumps that do nothing, and rules that"
          + " let in more, or less, than they look; with a capture, also rules that nothing matched"
          + " and a better order.",
      "What it says of a packet has been tried on the machine. Exit status: 0 nothing found, 1"
          + " findings, 2 unusable input."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk lint rules/web-server.yaml",
      "  skbwalk lint rules/nat-router.yaml pcaps/nat-router.pcapng --host config/router.yaml",
      "  iptables-save | skbwalk lint - --json"
    })
final class LintCommand implements Callable<Integer> {
  /** The first four bytes of captures: pcap in either order and either unit, pcapng, gzip, zstd. */
  private static final Set<Integer> CAPTURES =
      Set.of(0xA1B2C3D4, 0xD4C3B2A1, 0xA1B23C4D, 0x4D3CB2A1, 0x0A0D0D0A, 0x28B52FFD);

  private static final int GZIP = 0x1F8B;

  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "RULES|CAPTURE",
      arity = "1..*",
      description = {
        "Rules in YAML, as iptables-save prints them, or a script of iptables commands (- is"
            + " standard input); several are read as one, in this order. Captures (pcap, pcapng)"
            + " are known by their content."
      })
  private List<String> files;

  @Option(
      names = "--host",
      paramLabel = "HOST.yaml",
      description = "The machine that has the rules. Without it one is made up for each example.")
  private String host;

  @Option(
      names = "--ipset",
      paramLabel = "FILE",
      description = "Sets of ipset that the rules name, as ipset save prints them; with --host.")
  private List<String> ipsets = new ArrayList<>();

  @Option(names = "--json", description = "One JSON object a finding (docs/lint.schema.json).")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    List<String> names = new ArrayList<>();
    List<String> captures = new ArrayList<>();
    for (String file : files) {
      (isCapture(file) ? captures : names).add(file);
    }
    if (names.isEmpty()) {
      throw new Unusable("rules are missing: " + String.join(", ", captures) + " is a capture");
    }
    List<RuleSet> parsed = new ArrayList<>();
    for (String name : names) {
      parsed.add(RulesFile.parse(name, TextFile.read(name)));
    }
    RuleSet rules = RulesFile.merge(parsed);
    HostDescription machine = null;
    if (host != null) {
      HostFile file = HostFile.parse(host, TextFile.read(host));
      machine = file.description().withIpsets(Session.ipsets(ipsets));
      Session.boot(file, machine, rules, Session.NEW_YEAR, 1);
    }
    Lint lint = Lint.of(rules, machine, host);
    if (!captures.isEmpty()) {
      lint.captures(rules, captured(captures, names));
    }
    print(lint, "--rules " + String.join(" --rules ", names));
    return lint.findings().isEmpty() ? 0 : 1;
  }

  private static boolean isCapture(String file) throws IOException {
    if (file.equals("-") || !Files.isRegularFile(Path.of(file))) {
      return false;
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(Path.of(file))) {
      bytes = in.readNBytes(4);
    }
    if (bytes.length < 4) {
      return false;
    }
    int magic =
        (bytes[0] & 0xFF) << 24
            | (bytes[1] & 0xFF) << 16
            | (bytes[2] & 0xFF) << 8
            | bytes[3] & 0xFF;
    return CAPTURES.contains(magic)
        || magic >>> 16 == GZIP
        || (file.endsWith(".yaml") || file.endsWith(".yml"))
            && ScenarioFile.looksLikeOne(TextFile.read(file));
  }

  /** Each capture, to be replayed under these rules and others. */
  private List<Captured> captured(List<String> captures, List<String> names) {
    if (names.contains("-")) {
      throw new Unusable("rules on standard input can be read only once; give captures a file");
    }
    List<Captured> captured = new ArrayList<>();
    for (String capture : captures) {
      MachineOptions options = new MachineOptions();
      options.capture = capture;
      options.host = host;
      options.rules = names;
      options.ipsets = ipsets;
      options.seed = 1;
      captured.add(new OneCapture(options));
    }
    return captured;
  }

  private record OneCapture(MachineOptions options) implements Captured {
    @Override
    public String name() {
      return options.capture;
    }

    @Override
    public String machine() {
      return options.host == null ? "" : "--host " + options.host;
    }

    @Override
    public RuleSet counters() throws IOException {
      try (Session session = new Session(options, false)) {
        if (session.scenario() != null) {
          throw new Unusable(
              name() + ": a scenario may have rules of its own; make a capture of it with craft");
        }
        Replay replay = session.prepare(null);
        session.run();
        replay.finish();
        return session.host.tables().counters();
      }
    }

    @Override
    public void beside(RuleSet others, Replay.Sink these, Replay.Sink those) throws IOException {
      try (Session session = new Session(options, false)) {
        Replay first = session.prepare(null);
        Replay second = session.prepareBeside(others);
        first.keepFrames();
        first.keepEnds();
        second.keepEnds();
        first.add(these);
        second.add(those);
        session.run();
        first.finish();
        second.finish();
      }
    }
  }

  private void print(Lint lint, String rules) throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    if (json) {
      LintLines lines = new LintLines(out);
      for (Finding finding : lint.findings()) {
        lines.write(finding);
      }
    } else {
      Terminal terminal = Terminal.current();
      LintText text = new LintText(terminal.width(), terminal::paint, Terminal.BOLD, Terminal.DIM);
      for (Finding finding : lint.findings()) {
        out.println(text.tell(finding, rules));
      }
      int count = lint.findings().size();
      out.println(count == 0 ? "nothing found" : count + (count == 1 ? " finding" : " findings"));
    }
    out.flush();
    for (TableKind table : lint.tooComplex()) {
      err.println(
          "skbwalk: table "
              + table
              + " has too many different rules to think of all packets at"
              + " once; only what its counters say is told of it");
    }
  }
}
