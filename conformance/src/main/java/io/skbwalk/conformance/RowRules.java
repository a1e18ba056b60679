// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.netfilter.tables.TableKind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The rules that a row is tried with: its own, and what stands before and around it.
 *
 * @param text for iptables-restore
 * @param line where the row's own rule stands in it, from 1
 */
record RowRules(String text, int line) {
  /** Stands in {@code before:} where the rule belongs, when that is not behind all the others. */
  private static final String PLACE = "{rule}";

  private static final Pattern TARGET = Pattern.compile("(^| )(-j|-g|--jump|--goto) ");

  /**
   * A row's rule with {@code -j DROP} when it has no target, so that each frame's own fate shows
   * whether it matched. The nat table, which drops nothing, keeps it as it is.
   */
  static String withTarget(String table, String rule) {
    return table.equals("nat") || TARGET.matcher(rule).find() ? rule : rule + " -j DROP";
  }

  /**
   * Puts {@code rule} into its chain.
   *
   * @param before lines of iptables-restore; those above the first table's are of {@code table}
   */
  static RowRules of(String table, String chain, String before, String rule) {
    Map<String, List<String>> sections = new LinkedHashMap<>();
    List<String> section = sections.computeIfAbsent("*" + table, name -> new ArrayList<>());
    for (String line : before.lines().map(String::strip).toList()) {
      if (line.startsWith("*")) {
        section = sections.computeIfAbsent(line, name -> new ArrayList<>());
      } else if (!line.isEmpty() && !line.equals("COMMIT") && !line.startsWith("#")) {
        section.add(line);
      }
    }
    List<String> own = sections.get("*" + table);
    TableKind kind = TableKind.of(table);
    if ((kind == null || kind.hook(chain) == null)
        && own.stream().noneMatch(line -> line.startsWith(":" + chain + " "))) {
      own.add(0, ":" + chain + " - [0:0]");
    }
    String append = "-A " + chain + " " + rule;
    int place = own.indexOf(PLACE);
    if (place < 0) {
      own.add(append);
    } else {
      own.set(place, append);
    }
    StringBuilder text = new StringBuilder();
    int line = 0;
    int found = 0;
    for (Map.Entry<String, List<String>> entry : sections.entrySet()) {
      text.append(entry.getKey()).append('\n');
      line++;
      for (String one : entry.getValue()) {
        text.append(one).append('\n');
        line++;
        if (entry.getValue() == own && one.equals(append)) {
          // The last of several that are alike, unless it has a place of its own.
          found = place < 0 || entry.getValue().indexOf(one) == place || found == 0 ? line : found;
        }
      }
      text.append("COMMIT\n");
      line++;
    }
    return new RowRules(text.toString(), found);
  }
}
