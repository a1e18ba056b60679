// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.conformance.RandomScenario.Pace;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.RulesYamlPrinter;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The rule files of rules/, and what the kernel has when iptables-restore has read them. */
class RuleFilesTest {
  static List<Path> yaml() throws IOException {
    return files(".yaml");
  }

  static List<Path> iptablesSave() throws IOException {
    return files(".v4");
  }

  private static List<Path> files(String ending) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("../rules"))) {
      // Beside them lie experiments.
      return files
          .filter(file -> file.toString().endsWith(ending))
          .filter(file -> !file.toString().endsWith(".test.yaml"))
          .sorted()
          .toList();
    }
  }

  /** As a program left them on the machine of the same name: loaded and printed unchanged. */
  @ParameterizedTest
  @MethodSource("iptablesSave")
  void whatAProgramLeftIsPrintedAsItWas(Path file) throws IOException {
    AskedKernel.orSkip();
    Path config = Path.of("../config", file.getFileName().toString().replaceFirst("v4$", "yaml"));
    HostDescription host =
        HostFile.parse(config.toString(), Files.readString(config)).description();
    String text = Files.readString(file);
    String rules =
        text.lines()
            .filter(line -> !line.startsWith("#"))
            .map(line -> line + "\n")
            .collect(Collectors.joining());
    assertEquals(rules, IptablesSavePrinter.print(read(file.toString(), text), false));
    assertEquals(rules, KernelMachine.saved(Scenario.NamedObjects.of(host), text));
  }

  private static RuleSet read(String file, String text) {
    return RulesFile.merge(List.of(RulesFile.parse(file, text)));
  }

  @ParameterizedTest
  @MethodSource("yaml")
  void theKernelTakesThemAndPrintsThemTheSame(Path file) throws IOException {
    AskedKernel.orSkip();
    RuleSet rules = read(file.toString(), Files.readString(file));
    String printed = IptablesSavePrinter.print(rules, false);
    String tables =
        rules.tables().stream().map(table -> table.kind().label).collect(Collectors.joining(" "));
    String saved =
        Commands.runWith(
            printed,
            "unshare",
            "-n",
            "sh",
            "-ec",
            "iptables-legacy-restore -w 30; for table in "
                + tables
                + "; do iptables-legacy-save -t $table; done");
    assertEquals(
        printed,
        saved
            .lines()
            .filter(line -> !line.startsWith("#"))
            .map(l -> l + "\n")
            .collect(Collectors.joining()));
  }

  /**
   * A rule in iptables' words means the same in a YAML string as in iptables-save's output, and
   * YAML as convert prints it reads back the same.
   */
  @Test
  void randomRulesReadTheSameInYaml() {
    for (long seed = 1; seed <= 300; seed++) {
      Random random = new Random(seed);
      RuleSet rules =
          read("f.v4", new RandomRules(random, new RandomSets(random), Pace.AT_ONCE).text());
      String printed = IptablesSavePrinter.print(rules, true);
      String converted = RulesYamlPrinter.print(rules);
      assertEquals(printed, IptablesSavePrinter.print(read("f.yaml", converted), true));
      assertEquals(converted, RulesYamlPrinter.print(read("f.yaml", converted)));
      String uncounted = IptablesSavePrinter.print(rules, false);
      assertEquals(uncounted, IptablesSavePrinter.print(read("f.yaml", yaml(rules)), false));
    }
  }

  private static String yaml(RuleSet rules) {
    StringBuilder yaml = new StringBuilder("tables:");
    yaml.append(rules.tables().isEmpty() ? " {}\n" : "\n");
    for (RuleSet.Table table : rules.tables()) {
      yaml.append("  ").append(table.kind()).append(":\n");
      for (RuleSet.Chain chain : table.chains()) {
        yaml.append("    ").append(chain.name()).append(":\n");
        if (chain.policy() != null) {
          yaml.append("      policy: ").append(chain.policy()).append('\n');
        }
        yaml.append("      rules:\n");
        chain
            .rules()
            .forEach(
                rule ->
                    yaml.append("        - ")
                        .append(rule.save().isEmpty() ? "{}" : quoted(rule.save()))
                        .append('\n'));
      }
    }
    return yaml.toString();
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "''") + "'";
  }
}
