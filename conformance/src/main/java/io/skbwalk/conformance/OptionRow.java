// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import io.skbwalk.conformance.Comparison.Difference;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.lib.SourcePosition;
import io.skbwalk.netfilter.tables.Rule;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One rule and the packets that show what it does.
 *
 * @param scenario the whole of it
 * @param rule as it is written
 * @param line where the rule stands in the scenario's rules
 * @param expectations one for each step
 * @param notObservable why no packet shows what its options do; null when packets do
 * @param at where it is written
 */
record OptionRow(
    Scenario scenario,
    String rule,
    int line,
    List<Expectation> expectations,
    String notObservable,
    SourcePosition at) {
  /** What the rule's counter does at a packet. */
  enum Expectation {
    /** One more. */
    HIT,
    /** The same. */
    MISS,
    /** Whatever the kernel does; the packet prepares something. */
    ANY
  }

  private static final Pattern COUNTED = Pattern.compile("\\[(\\d+):\\d+] -A (\\S+).*");

  /** Copies the list. */
  OptionRow {
    expectations = List.copyOf(expectations);
  }

  /** Has it a packet of this kind? */
  boolean has(Expectation expectation) {
    return expectations.contains(expectation);
  }

  /** Runs it on both sides; what differs, or what the packets do not do as they are said to. */
  List<Difference> problems() throws IOException {
    Compared compared = Compared.of(scenario);
    List<Difference> problems = new ArrayList<>(compared.differences());
    if (!problems.isEmpty()) {
      return problems;
    }
    int[] counts = ModelMachine.counts(scenario, line);
    long expected = 0;
    for (int i = 0; i < counts.length; i++) {
      int wanted =
          switch (expectations.get(i)) {
            case HIT -> 1;
            case MISS -> 0;
            case ANY -> counts[i];
          };
      expected += wanted;
      if (counts[i] != wanted) {
        String kind = wanted == 1 ? "hit" : "miss";
        problems.add(
            new Difference(
                i, "frame " + (i + 1) + " is no " + kind + ": the rule counted it " + counts[i]));
      }
    }
    long counted = counted(compared.kernel().counters());
    if (problems.isEmpty() && counted != expected) {
      problems.add(
          new Difference(
              counts.length - 1,
              "the kernel counted " + counted + " packets in the rule, not " + expected));
    }
    if (problems.isEmpty() && counts.length == 0 && notObservable == null) {
      problems.add(new Difference(0, "it has no packets"));
    }
    return problems;
  }

  /** What the kernel counted in the rules of this row's line: several where it names several. */
  private long counted(List<String> counters) {
    long sum = 0;
    RuleSet rules = IptablesSaveParser.parse(scenario.rules(), "rules");
    for (RuleSet.Table table : rules.tables()) {
      for (RuleSet.Chain chain : table.chains()) {
        for (int i = 0; i < chain.rules().size(); i++) {
          Rule one = chain.rules().get(i);
          if (one.at().line() == line) {
            sum += counter(counters, table.kind().label, chain.name(), i);
          }
        }
      }
    }
    return sum;
  }

  /** The packets of rule {@code index} (from 0) of a chain. */
  private static long counter(List<String> lines, String table, String chain, int index) {
    int left = index;
    for (String line : lines.subList(lines.indexOf("*" + table), lines.size())) {
      Matcher matcher = COUNTED.matcher(line);
      if (matcher.matches() && matcher.group(2).equals(chain) && left-- == 0) {
        return Long.parseLong(matcher.group(1));
      }
    }
    throw new IllegalStateException("the kernel has no rule " + (index + 1) + " in " + chain);
  }
}
