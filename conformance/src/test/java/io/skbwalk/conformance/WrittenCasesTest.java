// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The cases written by hand (conformance/cases), through the model and through the kernel. */
class WrittenCasesTest {
  private static final Path CASES = Path.of("cases");

  @TestFactory
  Stream<DynamicContainer> cases() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(CASES)) {
      files = all.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
    }
    return files.stream()
        .map(file -> dynamicContainer(file.getFileName().toString(), experiments(file)));
  }

  private static Stream<DynamicTest> experiments(Path file) {
    try {
      return ScenarioText.read(file).stream()
          .map(
              scenario -> dynamicTest(scenario.name(), () -> AskedKernel.doesAsTheModel(scenario)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
