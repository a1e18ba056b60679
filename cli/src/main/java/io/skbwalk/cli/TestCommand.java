// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.experiment.Experiments;
import io.skbwalk.experiment.ExperimentsJson;
import io.skbwalk.experiment.JunitXml;
import io.skbwalk.experiment.Outcome;
import io.skbwalk.experiment.RuleCoverage;
import io.skbwalk.experiment.TapLines;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.IpsetSaveFile;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.lib.Spelling;
import io.skbwalk.netfilter.ipset.IpsetRestore;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.replay.ScenarioFolder;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk test}. */
@Command(
    name = "test",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Runs experiments: packets, and what is expected of them under a host's rules. Each runs on a"
          + " machine of its own. What does not hold is told with its place in the file and with"
          + " the packet's walk up to the point where it and the expectation part.",
      "Exit status: 0 when all hold, 1 when one fails, 2 for unusable input."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk test rules/web-server.test.yaml",
      "  skbwalk test rules/*.test.yaml --coverage --junit results.xml",
      "  skbwalk test rules/nat-router.test.yaml --only 'port 8080'",
      "  skbwalk test rules/web-server.test.yaml --watch"
    })
final class TestCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "FILE",
      description = "Experiments (docs/experiments.md).")
  private List<String> files;

  @Option(
      names = "--rules",
      paramLabel = "RULES",
      description =
          "Try these rules instead of those of the files. Repeatable; later add to earlier.")
  private List<String> rules = new ArrayList<>();

  @Option(
      names = "--host",
      paramLabel = "HOST.yaml",
      description = "Try this machine instead of that of the files.")
  private String host;

  @Option(
      names = "--ipset",
      paramLabel = "FILE",
      description = "Sets, as ipset save prints them, besides those of the host file. Repeatable.")
  private List<String> ipsets = new ArrayList<>();

  @Option(
      names = "--only",
      paramLabel = "TEXT",
      description = "Only experiments with TEXT in their name. Repeatable.")
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--coverage",
      description = "Also tell which rules no experiment reached, and where they are written.")
  private boolean coverage;

  @Option(
      names = "--junit",
      paramLabel = "FILE|-",
      description = "Write the outcomes as JUnit XML.")
  private String junit;

  @Option(
      names = "--json",
      paramLabel = "FILE|-",
      description = "Write the outcomes and the coverage as JSON (docs/test.schema.json).")
  private String json;

  @Option(names = "--tap", description = "Print the Test Anything Protocol instead of text.")
  private boolean tap;

  @Option(
      names = {"-q", "--quiet"},
      description = "Only what fails, and the last line.")
  private boolean quiet;

  @Option(
      names = "--watch",
      description = "Run again whenever one of the files changes, until interrupted.")
  private boolean watch;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "1",
      description = "Seed of everything random. Default: ${DEFAULT-VALUE}")
  private long seed;

  /** Everything that was read, for --watch. */
  private final Set<Path> read = new LinkedHashSet<>();

  @Override
  public Integer call() throws IOException {
    if (stdoutTaken() > 1) {
      throw new Unusable("only one of --tap, --json - and --junit - can have the standard output");
    }
    if (watch && files.contains("-")) {
      throw new Unusable("--watch looks at files; standard input never changes");
    }
    if (!watch) {
      return run();
    }
    files.forEach(file -> read.add(Path.of(file)));
    Watch changes = new Watch(read);
    while (true) {
      changes.look();
      watchedRun();
      changes.await();
    }
  }

  private int stdoutTaken() {
    return (tap ? 1 : 0) + ("-".equals(json) ? 1 : 0) + ("-".equals(junit) ? 1 : 0);
  }

  /** One run of a watch: a file in the middle of being written is no reason to end. */
  private void watchedRun() throws IOException {
    PrintWriter stdout = spec.commandLine().getOut();
    if (Terminal.current().interactive()) {
      stdout.print("\u001b[2J\u001b[H");
    }
    try {
      run();
    } catch (RuntimeException | IOException e) {
      if (!Main.isUnusable(e)) {
        throw e;
      }
      spec.commandLine().getErr().println("skbwalk: " + Main.inWords(e));
    }
    stdout.flush();
  }

  private int run() throws IOException {
    RuleCoverage reached = new RuleCoverage();
    List<Outcome> outcomes = new ArrayList<>();
    List<Experiments> all = new ArrayList<>();
    for (String file : files) {
      all.add(open(file));
    }
    List<String> names = all.stream().flatMap(one -> one.names().stream()).toList();
    Predicate<String> wanted = name -> only.isEmpty() || only.stream().anyMatch(name::contains);
    if (names.stream().noneMatch(wanted)) {
      throw new Unusable(
          only.isEmpty()
              ? String.join(", ", files) + ": there are no experiments"
              : "--only "
                  + only.get(0)
                  + ": no experiment is called so"
                  + Spelling.hint(only.get(0), names));
    }
    for (Experiments one : all) {
      outcomes.addAll(one.run(wanted, reached));
    }
    write(outcomes, reached);
    return outcomes.stream().allMatch(Outcome::holds) ? 0 : 1;
  }

  private Experiments open(String file) throws IOException {
    Path path = Path.of(file);
    HostFile machine = host == null ? null : HostFile.parse(host, text(host));
    String text = text(file);
    if (!ScenarioFile.looksLikeOne(text)) {
      throw new Unusable(
          file + ": no experiments; a file of them has the key experiments (docs/experiments.md)");
    }
    ScenarioFolder folder = new ScenarioFolder(path);
    ScenarioFile scenario;
    try {
      scenario = ScenarioFile.parse(file, text, machine, folder);
    } finally {
      read.addAll(folder.opened());
    }
    List<RuleSet> tried = new ArrayList<>();
    for (String one : rules) {
      tried.add(RulesFile.parse(one, text(one)));
    }
    RuleSet merged = RulesFile.merge(rules.isEmpty() ? List.of(RulesFile.of(scenario)) : tried);
    List<IpsetRestore> sets = new ArrayList<>();
    for (String one : ipsets) {
      sets.add(new IpsetSaveFile(one, text(one)));
    }
    HostFile described = scenario.host();
    return new Experiments(
        file,
        scenario,
        merged,
        () ->
            Session.boot(
                described,
                described.description().withIpsets(sets),
                merged.tables().isEmpty() ? null : merged,
                Session.NEW_YEAR,
                seed));
  }

  private String text(String file) throws IOException {
    if (!file.equals("-")) {
      read.add(Path.of(file));
    }
    return TextFile.read(file);
  }

  private void write(List<Outcome> outcomes, RuleCoverage reached) throws IOException {
    PrintWriter stdout = spec.commandLine().getOut();
    if (tap) {
      stdout.print(TapLines.of(outcomes));
    } else if (stdoutTaken() == 0) {
      stdout.print(new TestText(Terminal.current()).print(outcomes, reached, quiet, coverage));
    }
    if (junit != null) {
      TextFile.write(junit, JunitXml.of(outcomes), stdout);
    }
    if (json != null) {
      TextFile.write(json, ExperimentsJson.of(outcomes, reached), stdout);
    }
    stdout.flush();
  }
}
