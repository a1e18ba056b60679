// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.skbwalk.conformance.RandomScenario.Pace;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import io.skbwalk.netfilter.tables.Extensions;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Random rules have every match and target that there is, but for those that cannot be drawn. */
class RandomRulesTest {
  /** What is not drawn, and why. */
  private static final Map<String, String> LEFT_OUT =
      Map.of(
          "-j LED",
          "the kernel that is asked has no LEDs and refuses it",
          "-j SECMARK",
          "the kernel that is asked runs without SELinux and refuses it",
          "-j SYNPROXY",
          "its cookies hang on a secret of the kernel's, so only answers made on the way fit");

  private static final Pattern NAMES = Pattern.compile("-[mj] \\w+");

  private static final Pattern SETS = Pattern.compile("-set (s\\d|all) ");

  private static Set<String> drawn() {
    Set<String> drawn = new HashSet<>();
    for (long seed = 0; seed < 3000; seed++) {
      Random random = new Random(seed);
      Pace pace = seed % 10 == 0 ? Pace.SLOW : Pace.AT_ONCE;
      RandomRules rules = new RandomRules(random, new RandomSets(random), pace);
      Matcher names = NAMES.matcher(rules.text());
      while (names.find()) {
        drawn.add(names.group());
      }
    }
    return drawn;
  }

  @Test
  void everyMatchAndTargetIsDrawnOrLeftOutForAReason() {
    Set<String> drawn = drawn();
    Set<String> missing = new TreeSet<>();
    Extensions.matchNames().forEach(name -> missing.add("-m " + name));
    Extensions.targetNames().forEach(name -> missing.add("-j " + name));
    missing.removeAll(drawn);
    assertEquals(new TreeSet<>(LEFT_OUT.keySet()), missing);
  }

  @Test
  void whatTheRulesNameIsThere() {
    for (long seed = 0; seed < 1000; seed++) {
      Scenario scenario = RandomScenario.of(seed);
      List<String> objects = scenario.named().accounting();
      assertEquals(scenario.rules().contains("-m nfacct"), !objects.isEmpty());
      assertEquals(SETS.matcher(scenario.rules()).find(), !scenario.named().ipsets().isEmpty());
      assertEquals(
          scenario.rules().contains("-j NFQUEUE"), !scenario.host().netfilter().queues().isEmpty());
    }
  }

  @Test
  void noEthernetAddressIsAskedForOfACopyThatHasNone() {
    for (long seed = 0; seed < 3000; seed++) {
      Scenario scenario = RandomScenario.of(seed);
      assertFalse(
          scenario.rules().contains("-j TEE") && scenario.named().ipsets().contains(",mac "),
          "seed " + seed);
    }
  }

  /** {@link RandomScenariosTest} prints those of its seeds, too, and compares all. */
  @Test
  void iptablesTakesAndPrintsThemTheSame() throws IOException {
    AskedKernel.orSkip();
    for (long seed = 10_000; seed < 10_060; seed++) {
      Scenario scenario = RandomScenario.of(seed);
      if (!scenario.rules().isBlank()) {
        assertEquals(
            KernelMachine.saved(scenario.named(), scenario.rules()),
            IptablesSavePrinter.print(IptablesSaveParser.parse(scenario.rules(), "rules"), false),
            "seed " + seed);
      }
    }
  }
}
