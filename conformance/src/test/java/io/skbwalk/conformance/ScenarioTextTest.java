// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.IptablesSavePrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A scenario that differs is kept as a file; the file must show the same scenario again. */
class ScenarioTextTest {
  @Test
  void aKeptScenarioReadsBackAsItWas(@TempDir Path folder) throws IOException {
    for (long seed = 0; seed < 300; seed++) {
      Scenario scenario = RandomScenario.of(seed);
      Path file = folder.resolve("kept.yaml");
      Files.writeString(file, ScenarioText.write(scenario, "why it was kept"));
      Scenario read = ScenarioText.read(file).get(0);
      assertEquals(scenario.host(), read.host(), "host of seed " + seed);
      assertEquals(scenario.named(), read.named(), "what rules name of seed " + seed);
      assertEquals(saved(scenario.rules()), saved(read.rules()), "rules of seed " + seed);
      assertEquals(scenario.steps().size(), read.steps().size());
      for (int i = 0; i < scenario.steps().size(); i++) {
        assertEquals(scenario.steps().get(i).device(), read.steps().get(i).device());
        assertArrayEquals(scenario.steps().get(i).bytes(), read.steps().get(i).bytes());
      }
    }
  }

  private static String saved(String rules) {
    return IptablesSavePrinter.print(IptablesSaveParser.parse(rules, "rules"), false);
  }
}
