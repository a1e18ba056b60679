// SPDX-License-Identifier: Apache-2.0

package io.skbwalk.netfilter.tables;

import io.skbwalk.lib.Protocols;
import java.util.HashMap;
import java.util.Map;

/**
 * Plays getprotobyname, getprotobynumber and getservbyname with tables of our own, so that a rule
 * means the same on every machine.
 */
public final class Names {
  private static final Map<String, Integer> SERVICES = new HashMap<>();

  static {
    for (String[] words : Protocols.table(Names.class, "services.txt")) {
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
    return Protocols.name(number);
  }

  /** The number of the protocol called {@code name} in any case, or -1. */
  public static int protocol(String name) {
    return Protocols.number(name);
  }

  /** The names of all protocols. */
  static Iterable<String> protocols() {
    return Protocols.names();
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
}
