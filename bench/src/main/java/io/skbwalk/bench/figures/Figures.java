// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.bench.figures;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Measures one of the figures that are to be reached beside its references, and prints both. To be
 * started by bench/figures, which gives each figure a JVM of its own: what one of them makes the
 * compiler assume would blur the next.
 */
public final class Figures {
  private interface Figure {
    Table measure(Setting setting) throws IOException;
  }

  private static final Map<String, Figure> ALL = new LinkedHashMap<>();

  static {
    ALL.put("conversations", ConversationsFigure::measure);
    ALL.put("process", ProcessFigure::measure);
    ALL.put("syn-flood", SynFloodFigure::measure);
    ALL.put("connections", ConnectionsFigure::measure);
    ALL.put("start", StartFigure::measure);
    ALL.put("outputs", OutputsFigure::measure);
    ALL.put("large", LargeFigure::measure);
  }

  private Figures() {}

  /** Arguments: the figure's name, the project's folder, a folder for captures, then options. */
  public static void main(String[] arguments) throws IOException {
    if (arguments.length < 3 || !ALL.containsKey(arguments[0])) {
      System.err.println("usage: Figures " + String.join("|", ALL.keySet()) + " ROOT SCRATCH");
      System.exit(2);
    }
    // Standard output is the table's alone.
    PrintStream out = System.out;
    System.setOut(System.err);
    Setting setting =
        Setting.of(
            Path.of(arguments[1]),
            Path.of(arguments[2]),
            Arrays.asList(arguments).subList(3, arguments.length));
    Table table = ALL.get(arguments[0]).measure(setting);
    out.print(table.print(setting.markdown()));
    out.flush();
    if (setting.document() != null) {
      write(setting.document(), arguments[0], table.print(true));
    }
  }

  /** Puts a table in the place of the older one between the two comments with its name. */
  private static void write(Path document, String name, String table) throws IOException {
    String text = Files.readString(document, StandardCharsets.UTF_8);
    String begin = "<!-- bench/figures " + name + " -->\n";
    String end = "<!-- end -->";
    int from = text.indexOf(begin);
    if (from < 0) {
      throw new IOException(document + ": has no line " + begin.strip());
    }
    from += begin.length();
    String later = text.substring(text.indexOf(end, from));
    Files.writeString(document, text.substring(0, from) + table + later, StandardCharsets.UTF_8);
  }
}
