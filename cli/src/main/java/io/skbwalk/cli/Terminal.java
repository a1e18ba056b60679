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

  /** As the environment says: COLUMNS, NO_COLOR, TERM. */
  static Terminal current() {
    return of(System.getenv(), System.console() != null);
  }

  static Terminal of(Map<String, String> environment, boolean console) {
    int width = DEFAULT_WIDTH;
    try {
      width = Integer.parseInt(environment.getOrDefault("COLUMNS", ""));
    } catch (NumberFormatException e) {
      // Shells set it for themselves only; the default fits most windows.
    }
    boolean colour =
        console
            && environment.getOrDefault("NO_COLOR", "").isEmpty()
            && !"dumb".equals(environment.get("TERM"));
    return new Terminal(Math.max(60, Math.min(width, 200)), colour, console);
  }

  /** {@code text} in these colours, where colours are shown. */
  String paint(String colours, String text) {
    return colour ? colours + text + PLAIN : text;
  }
}
