// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.language;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * YAML as a person lays it out: what fits into a line stands in one, what does not has an entry a
 * line.
 */
final class YamlText {
  /** A piece of a file. */
  sealed interface Node {
    /** In one line. */
    String flow();
  }

  /** A single value; quotes are added where it needs them. */
  record Scalar(String text) implements Node {
    @Override
    public String flow() {
      return scalar(text);
    }
  }

  /** {@code true}. */
  record Flag() implements Node {
    @Override
    public String flow() {
      return "true";
    }
  }

  /** A list. */
  record Sequence(List<? extends Node> items) implements Node {
    Sequence {
      items = List.copyOf(items);
    }

    @Override
    public String flow() {
      return items.stream().map(Node::flow).collect(Collectors.joining(", ", "[", "]"));
    }
  }

  /** Values by key, in the order of the map. */
  record Mapping(Map<String, Node> entries) implements Node {
    @Override
    public String flow() {
      return entries.entrySet().stream()
          .map(entry -> scalar(entry.getKey()) + ": " + entry.getValue().flow())
          .collect(Collectors.joining(", ", "{", "}"));
    }
  }

  private static final int WIDTH = 100;

  /** What no reader of YAML takes for anything but text or a number. */
  private static final Pattern PLAIN =
      Pattern.compile(
          "[\\p{L}0-9_./+][\\p{L}0-9_./+@%=()*&|^~'-]*( [\\p{L}0-9_./+@%=()*&|^~'-]+)*");

  private static final Set<String> WORDS =
      Set.of("null", "true", "false", "yes", "no", "on", "off", "y", "n");

  private YamlText() {}

  /**
   * Appends {@code - node} and a line's end.
   *
   * @param indent blanks before the dash
   */
  static void item(StringBuilder out, Node node, int indent) {
    out.append(" ".repeat(indent)).append("- ");
    if (fits(node, indent + 2) || !(node instanceof Mapping mapping)) {
      out.append(node.flow()).append('\n');
      return;
    }
    String blanks = "";
    for (Map.Entry<String, Node> entry : mapping.entries.entrySet()) {
      out.append(blanks);
      value(out, entry.getKey(), entry.getValue(), indent + 2);
      blanks = " ".repeat(indent + 2);
    }
  }

  /**
   * Appends {@code key: node} and a line's end.
   *
   * @param indent blanks before the key, which are there already
   */
  static void value(StringBuilder out, String key, Node node, int indent) {
    String name = scalar(key) + ":";
    out.append(name);
    if (fits(node, indent + name.length() + 1) || !isLaidOut(node)) {
      out.append(' ').append(node.flow()).append('\n');
      return;
    }
    out.append('\n');
    if (node instanceof Sequence sequence) {
      sequence.items.forEach(one -> item(out, one, indent + 2));
    } else if (node instanceof Mapping mapping) {
      mapping.entries.forEach(
          (inner, one) -> {
            out.append(" ".repeat(indent + 2));
            value(out, inner, one, indent + 2);
          });
    }
  }

  private static boolean fits(Node node, int column) {
    return column + node.flow().length() <= WIDTH;
  }

  /** A list of single values is read best in one line, however long. */
  private static boolean isLaidOut(Node node) {
    return node instanceof Mapping
        || node instanceof Sequence sequence
            && sequence.items.stream().anyMatch(one -> !(one instanceof Scalar));
  }

  /** A single value, quoted where it would be read as something else. */
  static String scalar(String text) {
    if (PLAIN.matcher(text).matches() && !WORDS.contains(text.toLowerCase(Locale.ROOT))) {
      return text;
    }
    boolean escapes = text.chars().anyMatch(YamlText::isUnprintable);
    if (!escapes && (text.indexOf('"') >= 0 || text.indexOf('\\') >= 0)) {
      return "'" + text.replace("'", "''") + "'";
    }
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (isUnprintable(c)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c == '"' || c == '\\' ? "\\" : "").append(c);
      }
    }
    return out.append('"').toString();
  }

  /** Control characters, line ends of any kind, and marks that have no place within a file. */
  private static boolean isUnprintable(int c) {
    return c < ' '
        || c >= 0x7F && c < 0xA0
        || c == 0x2028
        || c == 0x2029
        || c == 0xFEFF
        || c >= 0xFFFE;
  }
}
