// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

/** Plays xtables_save_string: words as iptables-save writes them. */
public final class Quoting {
  private Quoting() {}

  /** Appends a blank and {@code text}, in quotes when it has more than letters, digits, - and _. */
  public static void append(StringBuilder out, String text) {
    out.append(' ');
    boolean plain = !text.isEmpty();
    for (int i = 0; i < text.length() && plain; i++) {
      char c = text.charAt(i);
      plain = c < 128 && (Character.isLetterOrDigit(c) || c == '-' || c == '_');
    }
    if (plain) {
      out.append(text);
      return;
    }
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\' || c == '\'') {
        out.append('\\');
      }
      out.append(c);
    }
    out.append('"');
  }
}
