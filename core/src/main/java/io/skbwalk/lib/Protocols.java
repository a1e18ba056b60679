// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.lib;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Plays getprotobyname and getprotobynumber with a table of our own, so that a name means the same
 * on every machine.
 */
public final class Protocols {
  private static final String[] NAMES = new String[256];
  private static final Map<String, Integer> NUMBERS = new HashMap<>();

  static {
    NUMBERS.put("all", 0);
    NUMBERS.put("ip", 0);
    for (String[] words : table(Protocols.class, "protocols.txt")) {
      int number = Integer.parseInt(words[0]);
      NAMES[number] = words[1];
      for (int i = 1; i < words.length; i++) {
        NUMBERS.putIfAbsent(words[i].toLowerCase(Locale.ROOT), number);
      }
    }
  }

  private Protocols() {}

  /** The name of protocol {@code number}, or its number when it has none. */
  public static String name(int number) {
    return NAMES[number] == null ? Integer.toString(number) : NAMES[number];
  }

  /** The number of the protocol called {@code name} in any case, or -1. */
  public static int number(String name) {
    return NUMBERS.getOrDefault(name.toLowerCase(Locale.ROOT), -1);
  }

  /** All names, in lower case. */
  public static Iterable<String> names() {
    return NUMBERS.keySet();
  }

  /** The lines of a table that lies beside {@code owner}, as words; {@code #} begins a comment. */
  public static Iterable<String[]> table(Class<?> owner, String name) {
    try (InputStream stream = owner.getResourceAsStream(name);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII))) {
      return reader
          .lines()
          .filter(line -> !line.startsWith("#"))
          .map(line -> line.split(" "))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
