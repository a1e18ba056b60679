// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.cli;

import java.util.stream.Stream;

/** Finds the word that a user may have meant. */
final class Suggestion {
  private Suggestion() {}

  /** The word that differs least from {@code typed}, or null when none is near. */
  static String nearest(String typed, Stream<String> words) {
    String best = null;
    int least = Math.max(2, typed.length() / 2) + 1;
    for (String word : words.toList()) {
      int distance = distance(typed, word);
      if (distance < least) {
        least = distance;
        best = word;
      }
    }
    return best;
  }

  /** Levenshtein's: letters to insert, delete or replace. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int same = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(same, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
