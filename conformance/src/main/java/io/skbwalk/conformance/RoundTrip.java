// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.language.RulesFile;
import io.skbwalk.language.RulesYamlPrinter;
import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Rules as people type them, read and printed by the model and by iptables-legacy-restore and
 * iptables-legacy-save in a network namespace of their own. Rules that the model takes are given to
 * the tools together; only when the two differ, and for rules that should be refused, each is tried
 * alone.
 */
final class RoundTrip {
  /**
   * A line as typed.
   *
   * @param table its table
   * @param line the whole command, such as {@code -A INPUT -p tcp}
   * @param before lines of iptables-restore that stand before it in its table, such as {@code :mine
   *     -}; with some, it is always tried alone
   */
  record Typed(String table, String line, List<String> before) {
    /** Copies the list. */
    Typed {
      before = List.copyOf(before);
    }

    /** A line before which a chain {@code uc} is made. */
    Typed(String table, String line) {
      this(table, line, List.of());
    }

    private String file() {
      return RoundTrip.file(table, before, List.of(this));
    }
  }

  /**
   * What one side made of it.
   *
   * @param text the whole table as iptables-save prints it; null when it was refused
   * @param refusal why it was refused; null when it was not
   */
  record Printed(String text, String refusal) {
    boolean isRefused() {
      return text == null;
    }

    private boolean sameAs(Printed other) {
      return isRefused() ? other.isRefused() : text.equals(other.text);
    }
  }

  /** A line that the two sides do not treat alike. */
  record Difference(Typed typed, Printed model, Printed kernel) {
    @Override
    public String toString() {
      return typed.table + " " + typed.line + "\n" + told("model ", model) + told("kernel", kernel);
    }

    private static String told(String who, Printed printed) {
      return "  "
          + who
          + (printed.isRefused() ? " refuses: " + printed.refusal : " prints: " + printed.text)
          + "\n";
    }
  }

  /** Each file of the folder {@code $1}: is it taken, and what is there then? */
  private static final String EACH_ALONE =
      """
      ${IPSET:+ipset restore -file "$IPSET"}
      for file in "$1"/*; do
        read -r first <"$file"
        if iptables-legacy-restore -c -w 30 "$file" >/dev/null 2>"$file.err"; then
          iptables-legacy-save -c -t "${first#\\*}" >"$file.out"
        fi
      done
      """;

  private final String ipsets;

  /** No ipsets. */
  RoundTrip() {
    this("");
  }

  /**
   * With sets that rules may name.
   *
   * @param ipsets text for {@code ipset restore}
   */
  RoundTrip(String ipsets) {
    this.ipsets = ipsets;
  }

  /** What the two sides do not treat alike. */
  List<Difference> differences(List<Typed> rules) throws IOException {
    Map<String, List<Typed>> together = new LinkedHashMap<>();
    List<Typed> alone = new ArrayList<>();
    for (Typed typed : rules) {
      if (typed.before.isEmpty() && !byModel(typed).isRefused()) {
        together.computeIfAbsent(typed.table, table -> new ArrayList<>()).add(typed);
      } else {
        alone.add(typed);
      }
    }
    List<String> files = new ArrayList<>();
    together.forEach((table, lines) -> files.add(file(table, List.of(), lines)));
    List<Printed> printed = byKernel(files);
    int number = 0;
    for (List<Typed> lines : together.values()) {
      if (!byModel(files.get(number)).sameAs(printed.get(number))) {
        alone.addAll(lines);
      }
      number++;
    }
    List<Difference> differences = new ArrayList<>();
    List<Printed> kernel = byKernel(alone.stream().map(Typed::file).toList());
    for (int i = 0; i < alone.size(); i++) {
      Printed model = byModel(alone.get(i));
      if (!model.sameAs(kernel.get(i))) {
        differences.add(new Difference(alone.get(i), model, kernel.get(i)));
      }
    }
    return differences;
  }

  /** What the model makes of one line. */
  static Printed byModel(Typed typed) {
    return byModel(typed.file());
  }

  /** What iptables and the kernel make of each line, tried alone. */
  List<Printed> kernel(List<Typed> rules) throws IOException {
    return byKernel(rules.stream().map(Typed::file).toList());
  }

  private static String file(String table, List<String> before, List<Typed> lines) {
    StringBuilder file = new StringBuilder("*").append(table).append("\n:uc -\n");
    before.forEach(line -> file.append(line).append('\n'));
    lines.forEach(typed -> file.append(typed.line).append('\n'));
    return file.append("COMMIT\n").toString();
  }

  private static Printed byModel(String file) {
    try {
      RuleSet rules = RulesFile.merge(List.of(RulesFile.parse("typed", file)));
      return new Printed(IptablesSavePrinter.print(throughYaml(rules), true), null);
    } catch (SourceException e) {
      return new Printed(null, e.getMessage());
    }
  }

  /** As convert turns them into YAML and back; where YAML cannot say them, as they are. */
  private static RuleSet throughYaml(RuleSet rules) {
    String yaml;
    try {
      yaml = RulesYamlPrinter.print(rules);
    } catch (SourceException e) {
      return rules;
    }
    return RulesFile.merge(List.of(RulesFile.parse("converted", yaml)));
  }

  private List<Printed> byKernel(List<String> files) throws IOException {
    if (files.isEmpty()) {
      return List.of();
    }
    Path folder = Files.createTempDirectory("skbwalk");
    Path sets = Files.createTempFile("skbwalk", ".ipset");
    try {
      Files.writeString(sets, ipsets);
      for (int i = 0; i < files.size(); i++) {
        // iptables-restore wants its counters when it is told that there are some.
        Files.writeString(folder.resolve(String.format("%06d", i)), counted(files.get(i)));
      }
      List<String> command = new ArrayList<>(List.of("unshare", "-n", "env"));
      if (!ipsets.isEmpty()) {
        command.add("IPSET=" + sets);
      }
      command.addAll(List.of("sh", "-c", EACH_ALONE, "sh", folder.toString()));
      Commands.run(command.toArray(String[]::new));
      List<Printed> printed = new ArrayList<>();
      for (int i = 0; i < files.size(); i++) {
        Path out = folder.resolve(String.format("%06d.out", i));
        printed.add(
            Files.exists(out)
                ? new Printed(withoutComments(text(out)), null)
                : new Printed(null, text(folder.resolve(String.format("%06d.err", i))).strip()));
      }
      return printed;
    } finally {
      delete(folder);
      Files.delete(sets);
    }
  }

  private static String counted(String file) {
    return file.lines()
        .map(line -> line.matches(":\\S+ (ACCEPT|DROP)") ? line + " [0:0]" : line)
        .collect(Collectors.joining("\n", "", "\n"));
  }

  /** The kernel cuts names and prefixes by bytes, perhaps within a character. */
  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
  }

  private static String withoutComments(String saved) {
    return saved
        .lines()
        .filter(line -> !line.startsWith("#"))
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
