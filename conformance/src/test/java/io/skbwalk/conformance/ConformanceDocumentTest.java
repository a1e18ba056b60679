// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** docs/conformance.md says what the option tables hold; -Dskbwalk.refresh=true writes it anew. */
class ConformanceDocumentTest {
  private static final Path DOCUMENT = Path.of("../docs/conformance.md");

  @Test
  void theDocumentIsWhatTheTablesSay() throws IOException {
    String document = OptionCoverage.document(OptionTable.FOLDER);
    if (Boolean.getBoolean("skbwalk.refresh")) {
      Files.writeString(DOCUMENT, document);
    }
    assertEquals(document, Files.readString(DOCUMENT), "refresh it with -Dskbwalk.refresh=true");
  }

  /** What no row shows is a failure: add rows, or say under {@code unshown:} why there is none. */
  @Test
  void everyOptionIsShown() throws IOException {
    assertEquals("", String.join("\n", OptionCoverage.missing(OptionTable.FOLDER)));
  }
}
