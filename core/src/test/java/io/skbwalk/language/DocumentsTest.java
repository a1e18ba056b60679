// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.host.Host;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The guides to the file formats: their examples work, their tables are complete. */
class DocumentsTest {
  private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

  private static final Pattern SCRIPT = Pattern.compile("```sh\n(#!.*?)```", Pattern.DOTALL);

  private static String text(String name) throws IOException {
    return Files.readString(Path.of("../docs", name));
  }

  private static List<String> examples(String name) throws IOException {
    return examples(name, EXAMPLE);
  }

  private static List<String> examples(String name, Pattern pattern) throws IOException {
    List<String> examples = new ArrayList<>();
    Matcher matcher = pattern.matcher(text(name));
    while (matcher.find()) {
      examples.add(matcher.group(1));
    }
    assertFalse(examples.isEmpty());
    return examples;
  }

  @Test
  void examplesOfRulesWork() throws IOException {
    List<String> all = examples("rules.md");
    all.addAll(examples("rules.md", SCRIPT));
    for (String example : all) {
      RuleSet rules = RulesFile.merge(List.of(RulesFile.parse("rules.md", example)));
      assertFalse(rules.tables().isEmpty());
    }
  }

  @Test
  void examplesOfHostsWork() throws IOException {
    for (String example : examples("hosts.md")) {
      new Host(HostFile.parse("hosts.md", example).description(), 0, 0);
    }
  }

  @Test
  void examplesOfScenariosWork() throws IOException {
    for (String example : examples("scenarios.md")) {
      ScenarioFile scenario =
          ScenarioFile.parse(
              "scenarios.md",
              example,
              null,
              name -> {
                throw new IOException("examples stand alone");
              });
      assertFalse(scenario.experiments().get(0).packets().isEmpty());
      RuleSet rules = RulesFile.merge(List.of(RulesFile.of(scenario)));
      new Host(scenario.host().description(), rules, 0, 0);
    }
  }

  @Test
  void everyKeyOfARuleIsMentioned() throws IOException {
    String text = text("rules.md") + text("extensions.md");
    for (String key : RuleReader.ruleKeys()) {
      assertTrue(text.contains("`" + key + "`"), key);
    }
  }
}
