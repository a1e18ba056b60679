// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.Map;

/** What is known of the user's terminal: its width, and whether it shows colours. */
record Terminal(int width, boolean colour, boolean interactive) {
  private static final int DEFAULT_WIDTH = 100;

  static final String BOLD = "\u001b[1m";
  static final String DIM = "\u001b[2m";
  static final String RED = "\u001b[31m";
  static final String GREEN = "\u001b[32m";
  static final String YELLOW = "\u001b[33m";
  static final String CYAN = "\u001b[36m";
  private static final String PLAIN = "\u001b[0m";

  /**
   * As the launcher found it (property {@code skbwalk.columns}, set on a terminal only), and as
   * COLUMNS, NO_COLOR and TERM say.
   */
  static Terminal current() {
    String columns = System.getProperty("skbwalk.columns");
    return of(System.getenv(), columns, columns != null);
  }

  static Terminal of(Map<String, String> environment, String columns, boolean interactive) {
    int width = number(environment.get("COLUMNS"));
    if (width == 0) {
      width = number(columns);
    }
    boolean colour =
        interactive
            && environment.getOrDefault("NO_COLOR", "").isEmpty()
            && !"dumb".equals(environment.get("TERM"));
    return new Terminal(
        width == 0 ? DEFAULT_WIDTH : Math.max(60, Math.min(width, 200)), colour, interactive);
  }

  private static int number(String text) {
    return text == null || !text.matches("[0-9]{1,4}") ? 0 : Integer.parseInt(text);
  }

  /** {@code text} in these colours, where colours are shown. */
  String paint(String colours, String text) {
    return colour ? colours + text + PLAIN : text;
  }

  /**
   * Breaks {@code text} so that no line is longer than the terminal is wide.
   *
   * @param column where it begins
   * @param indent of further lines
   */
  String wrap(String text, int column, int indent) {
    StringBuilder wrapped = new StringBuilder();
    int at = column;
    for (String word : text.split("(?= )")) {
      if (at + word.length() > width) {
        wrapped.append('\n').append(" ".repeat(indent));
        at = indent;
        word = word.strip();
      }
      wrapped.append(word);
      at += word.length();
    }
    return wrapped.toString();
  }
}
