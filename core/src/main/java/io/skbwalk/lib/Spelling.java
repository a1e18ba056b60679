// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

/** Finds the word that somebody may have meant. */
public final class Spelling {
  private Spelling() {}

  /** The one of {@code words} that differs least from {@code typed}; null when none is near. */
  public static String nearest(String typed, Iterable<String> words) {
    String best = null;
    int least = Math.max(1, typed.length() / 3) + 1;
    for (String word : words) {
      int distance = distance(typed, word);
      if (distance < least) {
        least = distance;
        best = word;
      }
    }
    return best;
  }

  /** {@code "; did you mean ...?"}, or nothing when no word is near. */
  public static String hint(String typed, Iterable<String> words) {
    String nearest = nearest(typed, words);
    return nearest == null ? "" : "; did you mean " + nearest + "?";
  }

  /** Levenshtein's: letters to insert, delete or replace. */
  public static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int corner = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = corner + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        corner = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
