// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

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
 * Plays getprotobyname, getprotobynumber and getservbyname with tables of our own, so that a rule
 * means the same on every machine.
 */
public final class Names {
  private static final String[] PROTOCOL_NAMES = new String[256];
  private static final Map<String, Integer> PROTOCOLS = new HashMap<>();
  private static final Map<String, Integer> SERVICES = new HashMap<>();

  static {
    PROTOCOLS.put("all", 0);
    PROTOCOLS.put("ip", 0);
    for (String[] words : table("protocols.txt")) {
      int number = Integer.parseInt(words[0]);
      PROTOCOL_NAMES[number] = words[1];
      for (int i = 1; i < words.length; i++) {
        PROTOCOLS.putIfAbsent(words[i].toLowerCase(Locale.ROOT), number);
      }
    }
    for (String[] words : table("services.txt")) {
      int port = Integer.parseInt(words[0]);
      for (int i = 2; i < words.length; i++) {
        SERVICES.putIfAbsent(words[i], port);
        for (String protocol : words[1].split(",")) {
          SERVICES.putIfAbsent(words[i] + "/" + protocol, port);
        }
      }
    }
  }

  private Names() {}

  /** The name of protocol {@code number}, or its number when it has none. */
  public static String protocol(int number) {
    return PROTOCOL_NAMES[number] == null ? Integer.toString(number) : PROTOCOL_NAMES[number];
  }

  /** The number of the protocol called {@code name} in any case, or -1. */
  public static int protocol(String name) {
    return PROTOCOLS.getOrDefault(name.toLowerCase(Locale.ROOT), -1);
  }

  /** The names of all protocols. */
  static Iterable<String> protocols() {
    return PROTOCOLS.keySet();
  }

  /** As xtables_parse_protocol reads a number or a name; -1 when it is neither. */
  public static int protocolOf(String text) {
    Long number = Numbers.unsigned(text, 255);
    return number != null ? number.intValue() : protocol(text);
  }

  /** The port of the service {@code name} of {@code protocol} (0 for any), or -1. */
  public static int service(String name, int protocol) {
    String key = protocol == 0 ? name : name + "/" + protocol(protocol);
    return SERVICES.getOrDefault(key, -1);
  }

  private static Iterable<String[]> table(String name) {
    try (InputStream stream = Names.class.getResourceAsStream(name);
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
