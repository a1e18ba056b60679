// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.language.HostFile;
import io.skbwalk.language.IptablesSaveParser;
import io.skbwalk.language.ScenarioFile;
import io.skbwalk.language.ScenarioPacket;
import io.skbwalk.netfilter.tables.RuleCheck;
import io.skbwalk.netfilter.tables.RuleSet;
import io.skbwalk.trace.TraceEvent;
import io.skbwalk.trace.TraceListener;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;

/**
 * Matches that ask the machine (its routes, sockets, interfaces) about one packet: yes, or no and
 * why. The lines are in machine-matches.txt.
 */
class MachineMatchesTest {
  @ParameterizedTest(name = "{0}: {1}")
  @CsvFileSource(resources = "machine-matches.txt", delimiter = '|', quoteCharacter = '`')
  void answersAsTheKernelDoes(String rule, String packet, String answer) throws IOException {
    String[] words = rule.split(" ", 3);
    String text = "*" + words[0] + "\n-A " + words[1] + " " + words[2] + "\nCOMMIT\n";
    RuleSet rules = IptablesSaveParser.parse(text, "f");
    RuleCheck.check(rules);
    HostFile file = HostFile.parse("machine-matches.yaml", resource("machine-matches.yaml"));
    ScenarioFile scenario =
        ScenarioFile.parse(
            "f", "experiments: [{packets: [{" + packet + "}]}]", file, name -> resource(name));
    ScenarioPacket one = scenario.experiments().get(0).packets().get(0);
    Host host = new Host(file.description(), rules, 0, 1);
    List<String> answers = new ArrayList<>();
    TraceListener listener = new Answers(answers);
    if (one.device() == null) {
      host.send(one.bytes(), 0, one.bytes().length, one.owner(), 1, listener);
    } else {
      host.receive(host.device(one.device()), one.bytes(), 1, listener);
    }
    assertEquals(answer, String.join("; ", answers));
  }

  private static String resource(String name) throws IOException {
    try (InputStream stream = MachineMatchesTest.class.getResourceAsStream(name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private record Answers(List<String> answers) implements TraceListener {
    @Override
    public void on(TraceEvent event) {
      if (event instanceof TraceEvent.RuleMatched) {
        answers.add("yes");
      } else if (event instanceof TraceEvent.RuleMissed missed) {
        answers.add("no: " + missed.reason());
      } else if (event instanceof TraceEvent.Detail found) {
        answers.add(answers.remove(answers.size() - 1) + ": " + found.text());
      } else if (event instanceof TraceEvent.Changed changed && changed.field().equals("mark")) {
        answers.add("mark " + changed.before() + " -> " + changed.after());
      }
    }

    @Override
    public boolean wantsMisses() {
      return true;
    }
  }
}
