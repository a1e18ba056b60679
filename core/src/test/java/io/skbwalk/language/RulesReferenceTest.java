// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.skbwalk.netfilter.tables.Extensions;
import io.skbwalk.netfilter.tables.OptionSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The files that are made from the extensions are as the extensions are now. To make them anew:
 * {@code ./mvnw -pl core test -Dtest=RulesReferenceTest -Dskbwalk.refresh=true}.
 */
class RulesReferenceTest {
  private static final Path SCHEMA = Path.of("../rules/rules.schema.json");
  private static final Path REFERENCE = Path.of("../docs/extensions.md");

  private static void holds(Path file, String made) throws IOException {
    if (Boolean.getBoolean("skbwalk.refresh")) {
      Files.writeString(file, made);
    }
    assertEquals(made, Files.readString(file), file + " is old; -Dskbwalk.refresh=true makes it");
  }

  @Test
  void schema() throws IOException {
    holds(SCHEMA, RulesReference.schema(Files.readString(SCHEMA)));
  }

  @Test
  void reference() throws IOException {
    holds(REFERENCE, RulesReference.reference());
  }

  @Test
  void everyOptionSaysWhatItIs() {
    List<String> silent = new ArrayList<>();
    for (String name : Extensions.matchNames()) {
      silent(silent, "-m " + name, Extensions.match(name).about, Extensions.match(name).options);
    }
    for (String name : Extensions.targetNames()) {
      silent(silent, "-j " + name, Extensions.target(name).about, Extensions.target(name).options);
    }
    assertEquals(List.of(), silent);
  }

  private static void silent(
      List<String> silent, String name, String about, List<OptionSpec> options) {
    if (!about.matches("(?s).+[.?]")) {
      silent.add(name + ": " + about);
    }
    for (OptionSpec spec : options) {
      if (!spec.about().matches("(?s).+[.?]")) {
        silent.add(name + " --" + spec.name() + ": " + spec.about());
      }
    }
  }
}
