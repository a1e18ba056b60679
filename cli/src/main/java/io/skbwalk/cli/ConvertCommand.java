// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.RulesFile.Language;
import io.skbwalk.language.RulesYamlPrinter;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.netfilter.tables.TableKind;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code skbwalk convert}. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    usageHelpAutoWidth = true,
    description = {
      "Prints the same rules in the other language: what iptables-save prints, or a script of"
          + " iptables commands, as YAML; YAML as iptables-save would print it. With --to in the same language: tidied up.",
      "Counters are kept: rules are printed as iptables-save -c does when one of them has counted."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  skbwalk convert rules/web-server.yaml",
      "  skbwalk convert rules/fail2ban.v4 > fail2ban.yaml",
      "  skbwalk convert --to iptables-save --table filter rules/fail2ban.v4",
      "  iptables-save | skbwalk convert - > mine.yaml",
      "  skbwalk convert rules/web-server.yaml | iptables-restore --test"
    })
final class ConvertCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(
      paramLabel = "FILE|-",
      description =
          "Rules in YAML, as iptables-save prints them, or a script of iptables commands; - is"
              + " standard input.")
  private String file;

  @Option(
      names = "--to",
      paramLabel = "iptables-save|yaml",
      description = "The language to print; without it, the one that FILE is not written in.")
  private String to;

  @Option(
      names = {"-t", "--table"},
      paramLabel = "TABLE",
      completionCandidates = Tables.class,
      description = "Only this table: raw, mangle, nat, filter or security.")
  private String table;

  private static final class Tables implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Stream.of(TableKind.values()).map(one -> one.label).iterator();
    }
  }

  @Override
  public Integer call() throws IOException {
    Language asked = to == null ? null : language();
    TableKind kind = table == null ? null : kind();
    String text = TextFile.read(file);
    RuleSet rules = RulesFile.merge(List.of(RulesFile.parse(file, text)));
    if (kind != null) {
      rules = only(kind, rules);
    }
    boolean wasYaml = Language.of(text) == Language.YAML;
    Language printed = asked != null ? asked : wasYaml ? Language.IPTABLES_SAVE : Language.YAML;
    PrintWriter stdout = spec.commandLine().getOut();
    if (printed == Language.YAML) {
      stdout.print(RulesYamlPrinter.print(rules));
    } else {
      rules(rules).filter(rule -> !IptablesSavePrinter.readsBack(rule)).forEach(this::warn);
      boolean counted = rules(rules).anyMatch(rule -> rule.packets() != 0 || rule.bytes() != 0);
      stdout.print(IptablesSavePrinter.print(rules, counted));
    }
    stdout.flush();
    return 0;
  }

  private Language language() {
    for (Language one : Language.values()) {
      if (one.label.equals(to)) {
        return one;
      }
    }
    throw new Unusable("--to " + to + ": rules are printed as iptables-save or yaml");
  }

  private TableKind kind() {
    TableKind kind = TableKind.of(table);
    if (kind == null) {
      throw new Unusable("--table " + table + ": tables are raw, mangle, nat, filter, security");
    }
    return kind;
  }

  private RuleSet only(TableKind kind, RuleSet rules) {
    if (rules.table(kind) == null) {
      throw new Unusable(
          "--table "
              + kind
              + ": "
              + file
              + " has "
              + (rules.tables().isEmpty()
                  ? "no rules"
                  : "only "
                      + rules.tables().stream()
                          .map(one -> one.kind().label)
                          .collect(Collectors.joining(", "))));
    }
    return rules.only(kind);
  }

  private static Stream<Rule> rules(RuleSet rules) {
    return rules.tables().stream()
        .flatMap(one -> one.chains().stream())
        .flatMap(chain -> chain.rules().stream());
  }

  private void warn(Rule rule) {
    spec.commandLine()
        .getErr()
        .println(
            "skbwalk: "
                + rule.at()
                + ": iptables-save prints this rule as \""
                + rule.save()
                + "\", which is not the same; so is it printed here");
  }
}
