// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleSet;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rule sets as large as they get: they load fast, and print back unchanged. */
class LargeRulesTest {
  /** Loads a file and says how long that took; {@code seconds} are of this thread's processor. */
  private static RuleSet loaded(String what, String text, double seconds) {
    long wall = System.nanoTime();
    long cpu = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    RuleSet rules = RulesFile.merge(List.of(RulesFile.parse("large", text)));
    double taken = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - cpu) / 1e9;
    System.out.printf(
        "%s: loaded in %.2f s, of that %.2f s of the processor%n",
        what, (System.nanoTime() - wall) / 1e9, taken);
    assertTrue(taken < seconds, what + " took " + taken + " s");
    return rules;
  }

  @Test
  void aCampusLoadsInASecondAndIsPrintedUnchanged() {
    String text = LargeRules.campus(200, 5000);
    RuleSet rules = loaded("5,000 rules in 200 user chains", text, 1);
    assertTrue(quickest(text) < 1);
    assertEquals(text, IptablesSavePrinter.print(rules, false));
    String yaml = RulesYamlPrinter.print(rules);
    RuleSet again = loaded("the same in YAML", yaml, 4);
    assertEquals(text, IptablesSavePrinter.print(again, false));
  }

  /** Seconds by the clock; of five, since a busy machine may be slow with any one of them. */
  private static double quickest(String text) {
    double seconds = Double.MAX_VALUE;
    for (int i = 0; i < 5; i++) {
      long begin = System.nanoTime();
      RulesFile.merge(List.of(RulesFile.parse("large", text)));
      seconds = Math.min(seconds, (System.nanoTime() - begin) / 1e9);
    }
    return seconds;
  }

  @Test
  void aMistakeInItIsFoundWhereItIs() {
    String right = LargeRules.campus(200, 5000);
    String wrong = right.replaceFirst("(?s)(dep-150 .*?--icmp)-type", "$1-typ0");
    int line = (int) wrong.substring(0, wrong.indexOf("-typ0")).lines().count();
    String text = wrong.lines().skip(line - 1).findFirst().orElseThrow();
    SourceException said =
        assertThrows(SourceException.class, () -> RulesFile.parse("campus.v4", wrong));
    assertEquals(
        "campus.v4:"
            + line
            + ":"
            + (text.indexOf("--icmp") + 1)
            + ": unknown option --icmp-typ0; did you mean --icmp-type?",
        said.getMessage());
  }

  @Test
  void aNodeOfKubernetesLoadsFastAndIsPrintedUnchanged() {
    String text = LargeRules.kubernetes(3000);
    RuleSet rules = loaded("33,003 rules in 12,002 user chains of kube-proxy", text, 6);
    assertEquals(text, IptablesSavePrinter.print(rules, false));
  }

  /** Linux 6.18 takes 20,000 as well, and refuses the loop. */
  @Test
  void chainsMayBeNestedDeeplyButNotInALoop() {
    String text = LargeRules.nested(20_000, false);
    RuleSet rules = loaded("20,000 chains within each other", text, 3);
    assertEquals(text, IptablesSavePrinter.print(rules, false));
    SourceException loop =
        assertThrows(
            SourceException.class,
            () ->
                RulesFile.merge(
                    List.of(RulesFile.parse("loop.v4", LargeRules.nested(20_000, true)))));
    assertEquals("loop.v4:40005:1: chain c000000 would call itself", loop.getMessage());
  }
}
