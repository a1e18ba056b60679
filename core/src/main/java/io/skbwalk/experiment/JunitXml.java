// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.experiment;

import io.skbwalk.replay.WalkText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The outcomes in the form that build servers read: a suite a file, a test case an experiment. */
public final class JunitXml {
  private static final int WIDTH = 100;

  private final StringBuilder out = new StringBuilder();

  private JunitXml() {}

  /** The whole document. There are no times in it: the same experiments give the same bytes. */
  public static String of(List<Outcome> outcomes) {
    JunitXml xml = new JunitXml();
    Map<String, List<Outcome>> files = new LinkedHashMap<>();
    for (Outcome outcome : outcomes) {
      files.computeIfAbsent(outcome.file(), key -> new ArrayList<>()).add(outcome);
    }
    xml.out.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    xml.open("<testsuites", "skbwalk test", outcomes).append(">\n");
    files.forEach(xml::suite);
    return xml.out.append("</testsuites>\n").toString();
  }

  private StringBuilder open(String element, String name, List<Outcome> outcomes) {
    long failures = outcomes.stream().filter(outcome -> !outcome.holds()).count();
    return out.append(element)
        .append(attribute("name", name))
        .append(attribute("tests", Integer.toString(outcomes.size())))
        .append(attribute("failures", Long.toString(failures)))
        .append(attribute("errors", "0"));
  }

  private void suite(String file, List<Outcome> outcomes) {
    open("  <testsuite", file, outcomes).append(">\n");
    for (Outcome outcome : outcomes) {
      out.append("    <testcase")
          .append(attribute("name", outcome.name()))
          .append(attribute("classname", file.replaceAll("\\.ya?ml$", "").replace('/', '.')))
          .append(attribute("file", file))
          .append(attribute("line", Integer.toString(outcome.at().line())))
          .append(attribute("assertions", Integer.toString(outcome.expectations())));
      if (outcome.holds()) {
        out.append("/>\n");
        continue;
      }
      out.append(">\n");
      outcome.failures().forEach(this::failure);
      out.append("    </testcase>\n");
    }
    out.append("  </testsuite>\n");
  }

  private void failure(Failure failure) {
    Failure.Mismatch first = failure.mismatches().get(0);
    out.append("      <failure")
        .append(attribute("type", first.key()))
        .append(attribute("message", failure.subject() + ": " + first.inWords()))
        .append('>');
    StringBuilder text = new StringBuilder();
    for (Failure.Mismatch one : failure.mismatches()) {
      text.append(one.at()).append(": ").append(failure.subject()).append(": ");
      text.append(one.inWords()).append('\n');
    }
    text.append(failure.walkText(new WalkText(WIDTH, false, null)));
    out.append(escaped(text.toString())).append("</failure>\n");
  }

  private static String attribute(String name, String value) {
    return " " + name + "=\"" + escaped(value).replace("\n", "&#10;") + "\"";
  }

  /** XML has no way at all to write most control characters. */
  private static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '&' -> escaped.append("&amp;");
                case '"' -> escaped.append("&quot;");
                default ->
                    escaped.appendCodePoint(
                        c < ' ' && c != '\n' && c != '\t'
                                || c == 0xFFFE
                                || c == 0xFFFF
                                || c >= 0xD800 && c <= 0xDFFF
                            ? 0xFFFD
                            : c);
              }
            });
    return escaped.toString();
  }
}
