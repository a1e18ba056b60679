// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Rules as people type them (conformance/rules/typed-rules.txt), taken and printed as by iptables.
 */
class TypedRulesTest {
  private static final Path RULES = Path.of("rules/typed-rules.txt");

  /** A line {@code * table} says where the rules behind it stand; one with {@code #} is for us. */
  private static List<RoundTrip.Typed> rules() throws IOException {
    List<RoundTrip.Typed> rules = new ArrayList<>();
    String table = null;
    for (String line : Files.readAllLines(RULES)) {
      if (line.startsWith("* ")) {
        table = line.substring(2);
      } else if (!line.isBlank() && !line.startsWith("#")) {
        rules.add(new RoundTrip.Typed(table, line));
      }
    }
    return rules;
  }

  @Test
  void iptablesTakesAndPrintsThemTheSame() throws IOException {
    AskedKernel.orSkip();
    List<RoundTrip.Difference> differences = new RoundTrip().differences(rules());
    assertEquals(
        "", differences.stream().map(RoundTrip.Difference::toString).collect(Collectors.joining()));
  }

  @Test
  void aDifferenceIsSeen() throws IOException {
    AskedKernel.orSkip();
    // Names are not resolved here; iptables asks /etc/hosts.
    List<RoundTrip.Difference> differences =
        new RoundTrip()
            .differences(
                List.of(
                    new RoundTrip.Typed("filter", "-A INPUT -s localhost"),
                    new RoundTrip.Typed("filter", "-A INPUT -s 192.0.2.1")));
    assertEquals(1, differences.size());
    assertTrue(differences.get(0).toString().contains("kernel prints"), differences.toString());
  }
}
