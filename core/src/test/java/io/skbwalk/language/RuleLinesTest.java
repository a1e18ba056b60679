// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.skbwalk.lib.SourceException;
import io.skbwalk.netfilter.tables.RuleCheck;
import io.skbwalk.netfilter.tables.RuleSet;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each line of rule-lines.txt, match-lines.txt and target-lines.txt as iptables-restore takes it:
 * {@code =} lines are what iptables-legacy-save 1.8.9 printed for it, {@code !} is what is said
 * where iptables or the kernel refused it ({@code ...} at its end is anything).
 */
class RuleLinesTest {
  record Case(String table, String line, List<String> printed, String refusal) {
    RuleSet rules() {
      String text = "*" + table + "\n:uc - [0:0]\n" + line + "\nCOMMIT\n";
      RuleSet rules = IptablesSaveParser.parse(text, "f");
      RuleCheck.check(rules);
      return rules;
    }

    @Override
    public String toString() {
      return table + " " + line;
    }
  }

  static Stream<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (String file :
        List.of("rule-lines.txt", "match-lines.txt", "target-lines.txt", "memory-lines.txt")) {
      read(file, cases);
    }
    assertTrue(cases.size() > 100);
    return cases.stream();
  }

  private static void read(String file, List<Case> cases) throws IOException {
    String table = "";
    try (InputStream stream = RuleLinesTest.class.getResourceAsStream(file)) {
      String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
      for (String line : text.split("\n")) {
        Case last = cases.isEmpty() ? null : cases.get(cases.size() - 1);
        if (line.startsWith("* ")) {
          table = line.substring(2);
        } else if (line.startsWith("= ")) {
          last.printed.add(line.substring(2));
        } else if (line.startsWith("! ")) {
          cases.set(cases.size() - 1, new Case(table, last.line, last.printed, line.substring(2)));
        } else if (!line.isEmpty() && !line.startsWith("#")) {
          cases.add(new Case(table, line, new ArrayList<>(), null));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isPrintedAsIptablesSaveDoesOrRefused(Case one) {
    if (one.refusal != null) {
      SourceException refused = assertThrows(SourceException.class, one::rules);
      String said = refused.position().column() + ": " + refused.problem();
      String expected = one.refusal.replaceFirst("\\.\\.\\.$", "");
      boolean begins = !expected.equals(one.refusal) && said.startsWith(expected);
      assertEquals(one.refusal, begins ? one.refusal : said);
      assertEquals(3, refused.position().line());
      return;
    }
    List<String> printed =
        IptablesSavePrinter.print(one.rules(), false)
            .lines()
            .filter(line -> line.startsWith("-A"))
            .toList();
    assertEquals(one.printed, printed);
    for (String line : printed) {
      Case again = new Case(one.table, line, List.of(), null);
      String text = IptablesSavePrinter.print(again.rules(), false);
      assertTrue(text.contains("\n" + line + "\n"), text);
    }
  }
}
