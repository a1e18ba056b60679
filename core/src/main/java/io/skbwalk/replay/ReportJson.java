// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.replay;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.Writer;

/** How reports that people read as well are laid out in JSON: indented by two, LF everywhere. */
public final class ReportJson {
  private ReportJson() {}

  /** What writes to {@code out}. */
  public static JsonGenerator to(Writer out) throws IOException {
    DefaultIndenter indent = new DefaultIndenter("  ", "\n");
    JsonGenerator json = new JsonFactory().createGenerator(out);
    json.setPrettyPrinter(
        new DefaultPrettyPrinter().withObjectIndenter(indent).withArrayIndenter(indent));
    return json;
  }
}
