// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.skbwalk.conformance.Comparison.Difference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/**
 * The tables of what each option does (conformance/options), through the model and through the
 * kernel. {@code -Dskbwalk.options=ah,esp} runs those of that name only.
 */
class OptionTablesTest {
  @TestFactory
  Stream<DynamicContainer> options() throws IOException {
    List<OptionTable> tables = new ArrayList<>();
    for (Path file : OptionTable.files(OptionTable.FOLDER)) {
      OptionTable table = OptionTable.read(file);
      String only = System.getProperty("skbwalk.options", "");
      if (only.isEmpty() || List.of(only.split(",")).contains(table.extension())) {
        tables.add(table);
      }
    }
    boolean asked = KernelMachine.unavailable() == null;
    RowRuns runs =
        new RowRuns(
            asked ? tables.stream().flatMap(table -> table.rows().stream()).toList() : List.of());
    return tables.stream()
        .map(
            table ->
                dynamicContainer(
                    table.extension(),
                    Stream.of(
                            table.rows().stream().map(row -> row(row, runs)),
                            table.refused().stream().map(OptionTablesTest::refused),
                            table.printed().stream().map(OptionTablesTest::printed))
                        .flatMap(tests -> tests)));
  }

  private static DynamicNode row(OptionRow row, RowRuns runs) {
    return test(
        row.scenario().name(),
        () -> {
          List<Difference> problems = runs.problems(row);
          if (!problems.isEmpty()) {
            Difference first = problems.get(0);
            fail(
                row.at()
                    + ": "
                    + first.text()
                    + "\n\n"
                    + row.scenario().rules()
                    + Explanation.of(row.scenario(), first.frame()));
          }
        });
  }

  private static DynamicNode refused(TypedRule rule) {
    return test("refused: " + rule.rule(), () -> none(rule, rule.notRefused()));
  }

  private static DynamicNode printed(TypedRule rule) {
    return test("printed: " + rule.rule(), () -> none(rule, rule.notPrintedAlike()));
  }

  private static void none(TypedRule rule, String problem) {
    assertNull(problem, () -> rule.at() + ": " + rule.rule() + "\n" + problem);
  }

  private static DynamicNode test(String name, Executable executable) {
    return dynamicTest(
        name,
        () -> {
          AskedKernel.orSkip();
          executable.execute();
        });
  }
}
