// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import io.skbwalk.bench.ConversationRouter;
import io.skbwalk.bench.SynFlood;
import io.skbwalk.host.Host;
import io.skbwalk.language.RulesFile;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** New connections only, past rule sets from ten to a hundred thousand rules. */
final class SynFloodFigure {
  private static final int CONNECTIONS = 200_000;

  private SynFloodFigure() {}

  static Table measure(Setting setting) throws IOException {
    Table table =
        new Table("A SYN flood, five SYNs of each connection, conntrack, N rules before the last");
    List<String[]> rows = new ArrayList<>();
    rows.add(
        new String[] {
          "rules", "SYNs", "Linux, M/s", "skbwalk, M/s", "ns a SYN", "times as fast as Linux"
        });
    List<String> different = new ArrayList<>();
    double ten = row(setting, rows, SynFlood.Rules.ADDRESSES, 10, CONNECTIONS, different);
    row(setting, rows, SynFlood.Rules.ADDRESSES, 1_000, CONNECTIONS / 2, different);
    double many = row(setting, rows, SynFlood.Rules.ADDRESSES, 10_000, CONNECTIONS / 10, different);
    double mixed = row(setting, rows, SynFlood.Rules.MIXED, 10_000, CONNECTIONS / 10, different);
    int most = setting.scaled(100_000);
    String text = SynFlood.Rules.ADDRESSES.text(most);
    Path capture = capture(setting, CONNECTIONS / 20);
    Cost load = null;
    Cost flood = null;
    for (int i = 0; i < setting.rounds(); i++) {
      Meter meter = new Meter();
      Host host = ConversationRouter.host(RulesFile.parse("rules.v4", text));
      load = meter.stop(most).best(load);
      flood = new Steady(capture, () -> host).run().best(flood);
    }
    rows.add(row(SynFlood.Rules.ADDRESSES, most, null, flood));
    table.table(rows);
    table.atLeast("at 10 rules", 2.5, ten, "M/s");
    table.atLeast("at 10,000 rules with addresses", 0.5, many / ten, "of the rate at 10");
    table.atLeast("at 10,000 mixed rules", 0.5, mixed / ten, "of the rate at 10");
    table.atMost(Table.grouped(most) + " rules load in", 3, load.wallNanos() / 1e9, "s");
    table.atLeast(
        "at " + Table.grouped(most) + " rules", 0.25, flood.cpuRate() / ten, "of the rate at 10");
    different.forEach(table::note);
    return table;
  }

  /** Measures one rule set; returns our rate. */
  private static double row(
      Setting setting,
      List<String[]> rows,
      SynFlood.Rules kind,
      int rules,
      int connections,
      List<String> different)
      throws IOException {
    Path capture = capture(setting, connections);
    String text = kind.text(rules);
    RuleSet parsed = RulesFile.parse("rules.v4", text);
    Steady steady = new Steady(capture, () -> ConversationRouter.host(parsed));
    try (Kernel kernel = Kernel.of(ConversationRouter.description(), capture)) {
      Race race = new Race();
      if (kernel != null) {
        race.add("Linux, " + rules + " rules", () -> kernel.run(text));
      }
      String ours = "skbwalk, " + rules + " rules, " + kind;
      race.add(ours, setting.warmups(), steady::run).run(setting.rounds());
      Cost linux = race.best("Linux, " + rules + " rules");
      rows.add(row(kind, rules, linux, race.best(ours)));
      if (kernel != null && !Table.isSameWork(kernel, steady)) {
        different.add(Table.sameWork(kernel, steady));
      }
      return race.best(ours).cpuRate();
    }
  }

  private static String[] row(SynFlood.Rules kind, int rules, Cost linux, Cost ours) {
    return new String[] {
      Table.grouped(rules) + ", " + kind,
      Table.grouped(ours.frames()),
      linux == null ? "" : Table.number(linux.cpuRate()),
      Table.number(ours.cpuRate()),
      Table.number(ours.nanosPerFrame()),
      linux == null ? "" : Table.number(linux.nanosPerFrame() / ours.nanosPerFrame())
    };
  }

  private static Path capture(Setting setting, int all) throws IOException {
    int connections = setting.scaled(all);
    Path file = setting.scratch().resolve("syn-flood-" + connections + ".pcap");
    if (!Files.exists(file)) {
      SynFlood.write(file, connections);
    }
    return file;
  }
}
