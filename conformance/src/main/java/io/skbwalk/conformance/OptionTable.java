// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.OptionRow.Expectation;
import io.skbwalk.conformance.Scenario.NamedObjects;
import io.skbwalk.host.HostDescription;
import io.skbwalk.language.HostFile;
import io.skbwalk.language.PacketReader;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.language.YamlValue;
import io.skbwalk.lib.SourceException;
import io.skbwalk.lib.SourcePosition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A file of conformance/options: the rules that show what each option of one match or target does,
 * those that are refused, and how rules are printed (conformance/README.md tells its format).
 *
 * @param file where it is
 * @param extension the match (lower case) or target (capitals) that it is about
 * @param unshown why no row can show an option ({@code name}, {@code name hit}, {@code name miss},
 *     {@code ! name}), by the option
 */
record OptionTable(
    Path file,
    String extension,
    List<OptionRow> rows,
    List<TypedRule> refused,
    List<TypedRule> printed,
    Map<String, String> unshown) {
  /** The tables of this project. */
  static final Path FOLDER = Path.of("options");

  private static final String ROUTER = "../cases/hosts/router.yaml";
  private static final String[] NAMED = {"ipsets", "nfacct", "timeouts"};

  /** Copies the lists and the map. */
  OptionTable {
    rows = List.copyOf(rows);
    refused = List.copyOf(refused);
    printed = List.copyOf(printed);
    unshown = Collections.unmodifiableMap(new LinkedHashMap<>(unshown));
  }

  /** Does this text look like an option table rather than a packet scenario? */
  static boolean looksLikeOne(String text) {
    return text.lines().anyMatch(line -> line.matches("(rows|refused|printed|unshown):.*"));
  }

  /** All tables in {@code folder}, by name. */
  static List<Path> files(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (var all = Files.list(folder)) {
      return all.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
  }

  /**
   * Reads a table.
   *
   * @throws SourceException at the first thing that is wrong in it
   */
  static OptionTable read(Path file) throws IOException {
    String name = file.getFileName().toString().replaceFirst("\\.yaml$", "");
    YamlValue root = YamlValue.parse(file.toString(), Files.readString(file));
    if (root == null) {
      throw new SourceException(new SourcePosition(file.toString(), 1, 1), "the file is empty");
    }
    YamlValue.Fields fields =
        root.fields(
            "an option table",
            "host",
            "ipsets",
            "nfacct",
            "timeouts",
            "rows",
            "refused",
            "printed",
            "unshown");
    Reader reader = new Reader(file, name, fields);
    List<OptionRow> rows = new ArrayList<>();
    for (YamlValue row : fields.list("rows")) {
      rows.add(reader.row(row));
    }
    List<TypedRule> refused = new ArrayList<>();
    for (YamlValue rule : fields.list("refused")) {
      refused.add(reader.typed(rule, "rule"));
    }
    List<TypedRule> printed = new ArrayList<>();
    for (YamlValue rule : fields.list("printed")) {
      printed.add(reader.typed(rule, "typed"));
    }
    Map<String, String> unshown = new LinkedHashMap<>();
    if (fields.get("unshown") != null) {
      fields.get("unshown").entries().forEach((key, why) -> unshown.put(key.text(), why.text()));
    }
    return new OptionTable(file, name, rows, refused, printed, unshown);
  }

  /** What stands above the rows goes for each that does not say otherwise. */
  private record Reader(Path file, String extension, YamlValue.Fields above) {
    OptionRow row(YamlValue value) throws IOException {
      YamlValue.Fields fields =
          value.fields(
              "a row",
              "rule",
              "table",
              "chain",
              "comment",
              "before",
              "host",
              "sysctls",
              "ipsets",
              "nfacct",
              "timeouts",
              "not-observable",
              "packets");
      YamlValue rule = fields.require("rule");
      String table = fields.text("table", "filter");
      RowRules rules =
          RowRules.of(
              table,
              fields.text("chain", "FORWARD"),
              fields.text("before", ""),
              RowRules.withTarget(table, rule.text()));
      HostDescription host = host(fields);
      PacketReader packets = new PacketReader(host);
      List<Scenario.Step> steps = new ArrayList<>();
      List<Expectation> expectations = new ArrayList<>();
      for (YamlValue packet : fields.list("packets")) {
        packet(packet, packets, steps, expectations);
      }
      String name = rule.text() + (table.equals("filter") ? "" : " (" + table + ")");
      return new OptionRow(
          new Scenario(name, host, named(fields), rules.text(), steps),
          rule.text(),
          rules.line(),
          expectations,
          fields.text("not-observable", null),
          value.position());
    }

    TypedRule typed(YamlValue value, String key) {
      YamlValue.Fields fields =
          value.fields(
              "a rule", key, "table", "chain", "comment", "before", "ipsets", "nfacct", "timeouts");
      String rule = fields.require(key).text();
      RowRules rules =
          RowRules.of(
              fields.text("table", "filter"),
              fields.text("chain", "FORWARD"),
              fields.text("before", ""),
              rule);
      return new TypedRule(rule, rules.text(), named(fields), value.position());
    }

    private void packet(
        YamlValue value,
        PacketReader reader,
        List<Scenario.Step> steps,
        List<Expectation> expectations) {
      YamlValue.Fields fields = value.fields("a row's packet", "hit", "miss", "then");
      if (fields.values().size() != 1) {
        throw value.error("a row's packet is one of hit: {...}, miss: {...} and then: {...}");
      }
      String key = fields.values().keySet().iterator().next();
      List<ScenarioPacket> packets = new ArrayList<>();
      reader.read(fields.require(key), packets);
      for (ScenarioPacket packet : packets) {
        steps.add(
            Scenario.Step.of(
                packet, packet.comment().isEmpty() ? key : key + ": " + packet.comment()));
        expectations.add(
            switch (key) {
              case "hit" -> Expectation.HIT;
              case "miss" -> Expectation.MISS;
              default -> Expectation.ANY;
            });
      }
    }

    private YamlValue value(YamlValue.Fields fields, String key) {
      return fields.get(key) == null ? above.get(key) : fields.get(key);
    }

    private HostDescription host(YamlValue.Fields fields) throws IOException {
      YamlValue described = value(fields, "host");
      HostDescription host;
      if (described != null && described.isMap()) {
        host = HostFile.of(described).description();
      } else {
        Path path = file.resolveSibling(described == null ? ROUTER : described.text());
        host = HostFile.parse(path.toString(), Files.readString(path)).description();
      }
      if (fields.get("sysctls") == null) {
        return host;
      }
      Map<String, String> sysctls = new LinkedHashMap<>(host.sysctls());
      fields.get("sysctls").entries().forEach((key, set) -> sysctls.put(key.text(), set.text()));
      return host.withSysctls(sysctls);
    }

    private NamedObjects named(YamlValue.Fields fields) {
      YamlValue ipsets = value(fields, NAMED[0]);
      return new NamedObjects(
          ipsets == null ? "" : ipsets.text(),
          texts(value(fields, NAMED[1])),
          texts(value(fields, NAMED[2])));
    }

    private static List<String> texts(YamlValue value) {
      return value == null ? List.of() : value.list().stream().map(YamlValue::text).toList();
    }
  }
}
